"""The way back to the former version while a shop sells: two versions work on one table, and no order is lost by it."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import serving, stacks
from cli.local.deploy import deploy
from cli.local.stack import NAME, LocalStack, describe, local_stack, sample_codes
from cli.main import cli
from cli.speech import Speech
from keypost.core.mail import MailState
from tests.deployed import KASPERSKY, is_mailed, mails_to, paid_session
from tests.other_versions import copied, make_newer

pytestmark = [pytest.mark.journey, pytest.mark.drill]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    with local_stack(tmp_path / "stack", lambda _: None) as local:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local/stack.json").write_text(describe(local))
        monkeypatch.chdir(tmp_path)
        product = local.stack.store.products([KASPERSKY])[KASPERSKY]
        list(
            local.stack.store.add_codes(product.sku, sample_codes(product, 2000), "enough", None)
        )  # for any machine's pace
        yield local


class Shop:
    """Sells one order after another until it closes, and calls again until a call is accepted, as providers do."""

    def __init__(self, local: LocalStack) -> None:
        self._local = local
        self._numbers = count(1)
        self.sold: list[str] = []
        self.refused: list[int] = []

    def sell(self) -> str:
        order_id = f"back-{next(self._numbers)}"
        while (status := self._local.stripe_calls(paid_session(order_id))[0]) != 200:
            self.refused.append(status)
        self.sold.append(order_id)
        return order_id

    def sell_some(self) -> list[str]:
        """Orders that are paid now and mailed a little later."""
        orders = [self.sell() for _ in range(3)]
        for order_id in orders:
            self._local.order_when(order_id, is_mailed, seconds=120)
        return orders

    @contextmanager
    def open(self) -> Iterator[None]:
        """Sells on and on meanwhile."""
        closed = threading.Event()

        def sell_on() -> None:
            while not closed.is_set():
                self.sell()

        seller = threading.Thread(target=sell_on)
        seller.start()
        try:
            yield
        finally:
            closed.set()
            seller.join()


def deploy_newer(local: LocalStack, folder: Path) -> None:
    newer = copied(folder / "newer", "template.yaml")
    make_newer(newer)
    (stack,) = local.session.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    (folder / "built").mkdir()
    deploy(local.session, NAME, parameters, folder / "built", newer)


def items_of(local: LocalStack) -> dict[str, Any]:
    items = local.session.client("dynamodb").get_paginator("scan").paginate(TableName=local.stack.store.table)
    found = {item["pk"]["S"]: item for page in items for item in page["Items"]}
    return {key.removeprefix("ORDER#"): item for key, item in found.items() if key.startswith("ORDER#back-")}


def versions(local: LocalStack) -> dict[str, int]:
    return {each.id: each.serves.number for each in serving.functions_of(stacks.found(None))}


def keypost(*words: str) -> str:
    ended = CliRunner().invoke(cli, words, obj=Speech("en"))
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_going_back_under_load_delivers_every_order_once_and_loses_no_fact(local: LocalStack, tmp_path: Path) -> None:
    shop = Shop(local)
    shop.sell_some()
    assert set(versions(local).values()) == {1}

    with shop.open():
        deploy_newer(local, tmp_path)
        of_newer = shop.sell_some()
        assert set(versions(local).values()) == {2}
        first, *others = serving.way_back(serving.functions_of(stacks.found(None)))
        serving.move(local.session.client("lambda"), first)  # two versions side by side
        both = shop.sell_some()
        said = keypost("stack", "back", "--yes")
        of_older = shop.sell_some()
    again = of_newer[0]
    key = {"Authorization": f"Bearer {local.support_key}", "Content-Type": "application/json"}
    assert local.call(f"/orders/{again}/resend", b"{}", key)[0] == 202
    local.order_when(again, lambda order: len(order.mails) == 2 and order.mails[1].state is MailState.SENT, seconds=120)
    orders = {id_: local.order_when(id_, is_mailed, seconds=120) for id_ in shop.sold}

    assert "The former version takes the calls again" in said
    assert set(versions(local).values()) == {1}
    assert others
    codes = Counter(license_.code for order in orders.values() for license_ in order.licenses)
    assert (len(codes), set(codes.values())) == (len(shop.sold), {1})
    assert {id_: len(mails_to(local, id_)) for id_ in shop.sold} == dict.fromkeys(shop.sold, 1) | {again: 2}
    items = items_of(local)
    written_by_newer = {id_ for id_, item in items.items() if item["form"]["N"] == "2"}
    assert {*of_newer, *both} <= written_by_newer
    assert written_by_newer.isdisjoint(of_older)
    assert {json.dumps(items[id_].get("future")) for id_ in written_by_newer} == {'{"S": "kept"}'}


def test_the_newest_version_comes_back_by_a_command_and_each_one_answers(local: LocalStack, tmp_path: Path) -> None:
    deploy_newer(local, tmp_path)

    keypost("stack", "back", "--yes")
    assert set(versions(local).values()) == {1}
    assert "All functions that can be asked answer." in keypost("stack", "check")
    keypost("stack", "back", "--undo", "--yes")
    assert set(versions(local).values()) == {2}
    assert "All functions that can be asked answer." in keypost("stack", "check")
    assert "The newest version of every function" in keypost("stack", "back", "--undo", "--yes")
