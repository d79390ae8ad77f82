"""`keypost doctor` on the deployed local stack."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.local.samples import sample_products
from cli.local.stack import LocalStack, describe, register_webhooks
from keypost.words import LANGUAGES

Run = Callable[..., tuple[int, str, str]]
SKUS = [product.sku for product in sample_products()]
UNSOLD = "KASPERSKY-SMALL-OFFICE-5D-1Y"  # no other test imports codes of it into the stack that all share


@pytest.fixture
def here(run: Run, local: LocalStack) -> Run:
    Path(".local").mkdir()
    Path(".local/stack.json").write_text(describe(local))
    register_webhooks(local.providers, local.outputs["ApiUrl"])
    return run


def test_it_finds_what_is_not_right_yet_and_names_the_command_for_each(here: Run) -> None:
    status, out, errors = here("doctor", "--json")

    found = [json.loads(line) for line in out.splitlines()]
    right = Counter(each["check"] for each in found if each["state"] == "right")
    assert (status, errors) == (1, "")
    assert right == {
        "stack": 1,
        "version": 1,
        "secrets": 1,
        "webhooks": 2,
        "clocks": 1,
        "switches": 1,
        "products": 1,
        "note": 1,
    }
    lacking = {each["mend"] for each in found if each["state"] != "right"}
    assert lacking <= {f"keypost stock import codes.csv --sku {sku}" for sku in SKUS}
    assert f"keypost stock import codes.csv --sku {UNSOLD}" in lacking


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_so_in_every_language_and_shows_no_secret(here: Run, local: LocalStack, language: str) -> None:
    status, out, _ = here("doctor", "--lang", language)

    assert status == 1
    assert out.count("\n") > 10
    assert f"  $ keypost stock import codes.csv --sku {UNSOLD}\n" in out
    values = json.loads(
        local.stack.secrets.client.get_secret_value(SecretId=local.stack.secrets.secret_id)["SecretString"]
    )
    assert values
    assert [name for name, value in values.items() if value in out] == []


def test_a_key_that_may_not_see_webhooks_hides_only_these(here: Run, local: LocalStack) -> None:
    local.providers.trouble = lambda: (403, {}, b"{}")

    status, out, _ = here("doctor", "--json")

    unseen = [json.loads(line)["why"]["code"] for line in out.splitlines() if '"unseen"' in line]
    assert (status, unseen) == (1, ["key_may_not_list_webhooks"] * 2)
