"""Which versions of the functions belong together, and which ones a stack goes back to."""

import pytest

from cli.serving import Function, Version, way_back, way_forward
from keypost.core.errors import KeypostError


def function(id_: str, serves: int, *revisions: str) -> Function:
    published = tuple(Version(number, revision) for number, revision in enumerate(revisions, start=1))
    return Function(id_, f"keypost-{id_}", published[serves - 1], published)


def moves(functions: list[Function], *, forward: bool = False) -> dict[str, int]:
    found = way_forward(functions) if forward else way_back(functions)
    return {each.function.id: each.to.number for each in found}


def test_each_function_goes_back_to_the_version_of_the_deploy_before() -> None:
    functions = [function("AdvanceOrders", 3, "a", "b", "c"), function("SupportApi", 3, "a", "b", "c")]

    assert moves(functions) == {"SupportApi": 2, "AdvanceOrders": 2}


def test_one_that_the_former_deploy_did_not_have_keeps_its_version() -> None:
    functions = [function("AdvanceOrders", 2, "a", "b"), function("Newcomer", 1, "b")]

    assert moves(functions) == {"AdvanceOrders": 1}


def test_a_way_back_that_broke_off_goes_on_to_where_it_began() -> None:
    functions = [function("AdvanceOrders", 3, "a", "b", "c"), function("SupportApi", 2, "a", "b", "c")]

    assert moves(functions) == {"AdvanceOrders": 2}


def test_the_worker_moves_last() -> None:
    functions = [function(id_, 2, "a", "b") for id_ in ("AdvanceOrders", "FindDueOrders", "SupportApi")]

    assert [each.function.id for each in way_back(functions)] == ["FindDueOrders", "SupportApi", "AdvanceOrders"]


def test_who_goes_back_twice_is_two_deploys_back_and_the_way_forward_leads_to_the_newest() -> None:
    functions = [function("AdvanceOrders", 2, "a", "b", "a"), function("SupportApi", 2, "a", "b", "a")]

    assert moves(functions) == {"SupportApi": 1, "AdvanceOrders": 1}
    assert moves(functions, forward=True) == {"SupportApi": 3, "AdvanceOrders": 3}
    assert moves([function("AdvanceOrders", 2, "a", "b")], forward=True) == {}


def test_the_first_deploy_has_none_before_it() -> None:
    with pytest.raises(KeypostError, match="no_former_version"):
        way_back([function("AdvanceOrders", 1, "a")])


def test_deploys_that_say_nothing_of_themselves_are_not_guessed_at() -> None:
    with pytest.raises(KeypostError, match="deploy_has_no_revision"):
        way_back([function("AdvanceOrders", 2, "", "")])
