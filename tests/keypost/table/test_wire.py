"""Items on their way to the table and back."""

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from keypost.core.order import Reason
from keypost.table.items import from_wire, to_wire

NUMBERS = st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9, places=2)
SETS = st.sets(st.text(), min_size=1) | st.sets(NUMBERS, min_size=1) | st.sets(st.binary(), min_size=1)
PLAIN = st.none() | st.booleans() | st.text() | st.sampled_from(Reason) | NUMBERS | st.binary() | SETS
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN, lambda each: st.lists(each) | st.lists(each).map(tuple) | st.dictionaries(st.text(), each), max_leaves=8
)


@settings(max_examples=50)
@given(VALUES.filter(lambda value: value is not None))
def test_a_value_is_written_and_read_as_boto3_does(value: Any) -> None:
    written = TypeSerializer().serialize(value)

    assert to_wire({"value": value}) == {"value": written}
    assert from_wire({"value": written}) == {"value": TypeDeserializer().deserialize(written)}


def test_what_is_not_there_is_not_written() -> None:
    assert to_wire({"pk": "ORDER#1", "due_at": None, "count": 2}) == {"pk": {"S": "ORDER#1"}, "count": {"N": "2"}}
    assert from_wire({"count": {"N": "2"}}) == {"count": Decimal(2)}
