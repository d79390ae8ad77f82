"""The order that a callback names which is refused, so that it stands in the inbox under that order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from keypost.core.errors import InvalidInput
from keypost.inputs.strict_json import parse_object


@contextmanager
def named(body: bytes, order_in: Callable[[dict[str, Any]], str]) -> Iterator[None]:
    """Lets an InvalidInput through with the order that the body names; without one, if it cannot be read."""
    try:
        yield
    except InvalidInput as error:
        with suppress(InvalidInput):
            error.order_id = error.order_id or order_in(parse_object(body))
        raise
