"""Our frozen dataclasses are those of the standard library, but for what they cost."""

import dataclasses
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from keypost.core import frozen
from keypost.core.said import Said


def classes(decorate: Callable[..., Any], *, slots: bool) -> tuple[Any, Any]:
    """The same two classes by each of the two decorators; the second may have no slots."""

    @decorate(frozen=True, slots=True, kw_only=True)
    class Kept:
        extra: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    @decorate(frozen=True, slots=slots)
    class Order(Kept):
        """What was bought."""

        id: str
        values: Mapping[str, int] = field(hash=False)
        count: int = 1
        tags: list[str] = field(default_factory=list, hash=False)

        @property
        def twice(self) -> int:
            return self.count * 2

    return Kept, Order


KEPT, ORDER = classes(frozen.dataclass, slots=True)
_, STANDARD = classes(dataclasses.dataclass, slots=True)
_, ROOMY = classes(frozen.dataclass, slots=False)
ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a", {"n": 1}), {}),
    (("a", {"n": 1}), {"extra": {"later": 2}}),
    (("a", {"n": 2}), {}),
    (("b", {"n": 1}), {}),
    (("a",), {"values": {"n": 1}, "count": 2}),
    (("a", {"n": 1}, 1, ["x"]), {}),
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_an_object_has_the_values_the_hash_and_the_words_of_the_standard_librarys(
    arguments: tuple[tuple[Any, ...], dict[str, Any]],
) -> None:
    ours, standard = ORDER(*arguments[0], **arguments[1]), STANDARD(*arguments[0], **arguments[1])

    assert dataclasses.asdict(ours) == dataclasses.asdict(standard)
    assert repr(ours) == repr(standard)
    assert hash(ours) == hash(standard)
    assert ours.twice == standard.twice


def test_two_objects_are_equal_when_those_of_the_standard_library_are() -> None:
    ours = [ORDER(*given, **named) for given, named in ARGUMENTS]
    standard = [STANDARD(*given, **named) for given, named in ARGUMENTS]

    assert [[one == other for other in ours] for one in ours] == [[a == b for b in standard] for a in standard]
    assert ours[0] != standard[0]
    assert KEPT() == KEPT(extra={"later": 1})


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_an_object_without_slots_is_as_one_with_them_and_remembers_what_was_computed_once(
    arguments: tuple[tuple[Any, ...], dict[str, Any]],
) -> None:
    roomy, slim = ROOMY(*arguments[0], **arguments[1]), ORDER(*arguments[0], **arguments[1])

    assert (dataclasses.asdict(roomy), repr(roomy), hash(roomy)) == (dataclasses.asdict(slim), repr(slim), hash(slim))
    assert replace(roomy, count=7).count == 7
    with pytest.raises(FrozenInstanceError):
        roomy.count = 7
    roomy.__dict__["computed"] = 1  # as functools.cached_property does
    assert roomy == ROOMY(*arguments[0], **arguments[1])


def test_an_object_survives_a_pickle() -> None:
    stored = Said("paid", {"n": 1}, "betaald")

    assert pickle.loads(pickle.dumps(stored)) == stored  # noqa: S301 - our own bytes


def test_a_default_is_made_anew_for_each_object() -> None:
    one, other = ORDER("a", {}), ORDER("a", {})

    one.tags.append("x")
    assert other.tags == []


def test_the_fields_and_a_changed_copy_are_those_of_the_standard_library() -> None:
    assert [each.name for each in fields(ORDER)] == [each.name for each in fields(STANDARD)]
    assert ORDER.__match_args__ == STANDARD.__match_args__
    assert replace(ORDER("a", {}), count=3) == ORDER("a", {}, 3)


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), (("a",), {}), (("a", {}, 1, [], {}), {}), (("a", {}), {"x": 1})]
)
def test_wrong_arguments_are_a_type_error(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    for each in (ORDER, STANDARD):
        with pytest.raises(TypeError):
            each(*given, **named)


def test_an_object_cannot_be_changed() -> None:
    order = ORDER("a", {})

    with pytest.raises(FrozenInstanceError):
        order.id = "b"
    with pytest.raises(FrozenInstanceError):
        del order.id
    with pytest.raises((FrozenInstanceError, AttributeError)):
        order.other = 1
    assert order == ORDER("a", {})


def test_a_class_that_can_be_changed_is_left_to_the_standard_library() -> None:
    with pytest.raises(TypeError):
        frozen.dataclass(frozen=False, slots=True)


def test_what_our_classes_do_not_do_is_refused_and_not_left_out_in_silence() -> None:
    class Checked:
        id: str

        def __post_init__(self) -> None:
            raise ValueError

    class Counted:
        id: str
        count: int = field(init=False)

    for written in (Checked, Counted):
        with pytest.raises(TypeError, match="standard library's"):
            frozen.dataclass(frozen=True, slots=True)(written)
