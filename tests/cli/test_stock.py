from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.licensing import with_codes
from keypost.table.batches import batch_id
from keypost.table.schedule import BATCH
from keypost.use_cases import replace_batch
from tests.builders import PRODUCT, SKU, ZONE, code, loaded, paid_order, product

Run = Callable[..., tuple[int, str, str]]
PLUS = "KASPERSKY-PLUS-3D-1Y"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def stocked(here: Stack) -> Stack:
    list(here.store.add_codes(SKU, [code(n) for n in range(4)], "BAD", None))
    here.store.put_product(product(PLUS))
    return here


def test_the_free_codes_of_a_batch_are_withdrawn_looked_at_and_put_back(run: Run, stocked: Stack) -> None:
    assert run("stock", "withdraw", SKU, "--batch", "BAD", "--dry-run") == (0, "codes that would be changed: 4\n", "")
    assert run("stock", "withdraw", SKU, "--batch", "BAD", "--reason", f"{code(1)} is revoked")[1] == (
        "codes withdrawn: 4\n"
    )
    item = stocked.store.code_item(code(1))
    assert item is not None
    assert (item["state"], item["why"]) == ("withdrawn", "…00001 is revoked")
    assert run("stock", "withdraw", SKU, "--batch", "BAD", "--undo")[1] == "codes put back into the stock: 4\n"


def test_codes_of_a_file_are_moved_and_what_is_not_there_is_told_by_line(run: Run, stocked: Stack) -> None:
    Path("codes.txt").write_text(f"{code(1)}\n\n{code(99)}\n")

    status, out, err = run("stock", "move", SKU, PLUS, "--codes", "codes.txt")

    assert (status, out) == (1, "codes moved: 1\n")
    assert err.splitlines()[0] == "codes:2: this code was never imported"
    assert {free.code for free in stocked.store.pick(PLUS, 9, datetime.now(UTC).date())} == {code(1)}


@pytest.mark.parametrize("words", [["withdraw", SKU], ["move", SKU, PLUS], ["withdraw", "NOPE", "--batch", "B"]])
def test_a_call_that_names_nothing_changes_nothing(run: Run, stocked: Stack, words: list[str]) -> None:
    assert run("stock", *words)[0] == 1
    assert len(stocked.store.pick(SKU, 9, datetime.now(UTC).date())) == 4


def test_a_batch_is_listed_replaced_and_its_progress_shown(run: Run, stocked: Stack) -> None:
    order = stocked.store.save(paid_order("A-1"))
    (free,) = stocked.store.pick(SKU, 1, datetime.now(UTC).date())
    now = datetime.now(UTC).replace(microsecond=0)
    stocked.store.assign(with_codes(order, [free], {SKU: PRODUCT}, now, ZONE, may_mail=False), [free], now.date())
    list(stocked.store.add_codes(SKU, [code(50)], "GOOD", None))

    assert (
        run("stock", "batch", "BAD")[1] == f"A-1  1  {SKU}\nBAD: not replaced; replaced: 0; customers still have: 1\n"
    )
    assert run("stock", "batch", "BAD", "--replace")[1] == (
        "BAD: being replaced; replaced: 0; customers still have: 1\n"
    )
    for _ in range(4):
        replace_batch.go_on(stocked.desk, f"{BATCH}{batch_id('BAD', '')}", now)
    assert run("stock", "batch", "BAD")[1] == "BAD: done; replaced: 1; customers still have: 0\n"
    assert loaded(stocked.store, "A-1").licenses[0].code == code(50)


def test_an_order_to_the_distributor_is_drafted_as_text_and_csv(run: Run, stocked: Stack) -> None:
    today = datetime.now(ZONE).date()
    for days in range(1, 31):
        stocked.store.count_used(SKU, today - timedelta(days=days), 2)

    status, out, _ = run("stock", "order", "--days", "30", "--csv", "order.csv")

    assert status == 0
    assert out.startswith(f"56 x {SKU} (Kaspersky Standard), to be ordered before ")
    assert "4 in stock, 2.0 used per day" in out
    rows = Path("order.csv").read_text().splitlines()
    assert rows[0] == "sku,product,count,order_before,runs_out,free,waiting,promised,per_day"
    assert rows[1].startswith(f"{SKU},Kaspersky Standard,56,")
    assert len(rows) == 2


def test_an_order_that_is_not_needed_says_so(run: Run, stocked: Stack) -> None:
    assert run("stock", "order")[1] == "products to order so that every product lasts 60 days: 0\n"


def test_a_preview_of_a_file_names_its_columns_and_imports_nothing(run: Run, stocked: Stack) -> None:
    Path("codes.csv").write_text(f"Levering\nActivatiecode;prijs;Vervaldatum\n{code(9)};1,00;31-12-2099\n")

    status, out, _ = run("stock", "import", "codes.csv", "--sku", SKU, "--dry-run")

    assert status == 0
    assert out.splitlines() == [
        "UTF-8, separated by semicolons; line 2 names the columns",
        "column 1 `Activatiecode`: code",
        "column 3 `Vervaldatum`: activate_before",
        "column 2 `prijs`: not used",
        f"line 3: …00009, {SKU}, activate by 31 December 2099",
        "codes that can be added: 1, left out: 0",
    ]
    assert stocked.store.code_item(code(9)) is None
