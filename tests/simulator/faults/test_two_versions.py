"""Two versions of the product work on one table at the same time: each invocation is of one of them."""

from pathlib import Path

import pytest

from cli.local.deploy import ROOT
from tests.other_versions import ORDERS, change, copied, make_newer
from tests.simulator.faults.checks import violations
from tests.simulator.faults.play import Script, come_to_the_end, play
from tests.simulator.faults.stories import a_shop, mailed, renewal


@pytest.fixture
def other_version(tmp_path: Path) -> Path:
    return copied(tmp_path / "other")


def test_each_version_has_modules_of_its_own(other_version: Path) -> None:
    telemetry = other_version / "layers/keypost/keypost/telemetry.py"
    telemetry.write_text(f"{telemetry.read_text('utf-8')}\nOF_ANOTHER_VERSION = True\n", "utf-8")

    with a_shop(roots=(ROOT, other_version)) as shop:
        renewal(shop)
        come_to_the_end(shop, codes=4)
        mine, other = (version.modules["keypost.telemetry"] for version in shop.simulation.versions)
        used = {version.name for version, _ in shop.simulation.scenes.values()}

        assert not hasattr(mine, "OF_ANOTHER_VERSION")
        assert other.OF_ANOTHER_VERSION
        assert used == {ROOT.name, other_version.name}
        assert mailed(shop, "r1") == ["renewal-1"]
        assert not violations(shop)


@pytest.mark.drill
def test_two_versions_together_break_no_promise(other_version: Path) -> None:
    make_newer(other_version)

    played = [play(Script(seed, roots=(ROOT, other_version))) for seed in range(1, 31)]

    assert not [violation for each in played for violation in each.violations]


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_older_version_keeps_what_the_newer_one_added(other_version: Path, seed: int) -> None:
    make_newer(other_version)

    of_newer, lost = _added_and_lost(ROOT, other_version, seed)

    assert of_newer
    assert lost == set()


def test_a_version_that_forgets_what_another_added_would_be_seen(other_version: Path, tmp_path: Path) -> None:
    make_newer(other_version)
    forgetful = copied(tmp_path / "forgetful")
    change(
        forgetful / ORDERS,
        ("    return nothing | to_wire(item", '    item.pop("future", None)\n    return nothing | to_wire(item'),
    )

    assert any(_added_and_lost(forgetful, other_version, seed)[1] for seed in range(1, 6))


def _added_and_lost(older: Path, newer: Path, seed: int) -> tuple[set[str], set[str]]:
    """The orders that the newer version wrote at some time, and those of them whose field is gone."""
    with a_shop(roots=(older, newer), seed=seed) as shop:
        renewal(shop)
        come_to_the_end(shop, codes=4)
        items = [item for order in shop.sales if (item := shop.simulation.item(order)) and item["form"] > 1]
        return {item["pk"] for item in items}, {item["pk"] for item in items if item.get("future") != "kept"}
