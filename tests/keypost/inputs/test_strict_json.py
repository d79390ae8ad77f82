import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import InvalidInput
from keypost.inputs.strict_json import parse_object

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("abc", min_size=1), children, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc", min_size=1), values, max_size=4))
def test_what_json_writes_is_read(value: dict[str, object]) -> None:
    assert parse_object(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe{}", "body_not_utf8"),
        (b"order_id=1", "not_json"),
        (b"[1]", "body_not_an_object"),
        (b'"text"', "body_not_an_object"),
        (b'{"a": NaN}', "body_not_a_number"),
        (b'{"a": -Infinity}', "body_not_a_number"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "body_key_twice"),
        (b"[" * 60_000, "body_too_deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "body_too_deep"),
        (b'{"a": "\\ud800"}', "body_half_surrogate"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
    ],
)
def test_everything_else_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parse_object(body)


@given(st.binary(max_size=200))
def test_no_body_gets_anything_but_an_object_or_a_refusal(body: bytes) -> None:
    with suppress(InvalidInput):
        assert isinstance(parse_object(body), dict)
