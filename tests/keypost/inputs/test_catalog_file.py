"""The checks before a product enters the catalog."""

import tomllib
from typing import Any

import pytest

from cli.local.deploy import ROOT
from keypost.core.errors import InvalidInput
from keypost.inputs.catalog_file import read_product
from tests.builders import english

ENTRY: dict[str, Any] = tomllib.loads((ROOT / "cli/local/products.toml").read_text("utf-8"))["product"][0]


@pytest.mark.parametrize("query", ["", "?renews={license}", "?of={order}&renews={license}"])
def test_a_link_may_say_what_is_renewed(query: str) -> None:
    url = f"https://shop.example/verlengen{query}"

    assert read_product(ENTRY | {"renewal_url": url}).renewal_url == url


@pytest.mark.parametrize("query", ["{licence}", "{}", "{license", "license}", "{order.id}", "{{license}}"])
def test_a_link_with_another_place_in_it_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_product(ENTRY | {"renewal_url": f"https://shop.example/{query}"})

    assert "`renewal_url` may contain {license} and {order} in braces, and nothing else in braces" in english(
        refused.value.said
    )
