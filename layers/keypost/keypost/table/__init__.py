"""The DynamoDB table. No other package calls DynamoDB. The store of everything is loaded when somebody asks for it: a
function that needs one part of the table, such as the keys of support agents, loads only that."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keypost.table.store import Store

__all__ = ["Store"]


def __getattr__(name: str) -> Any:
    if name != "Store":
        raise AttributeError(name)
    from keypost.table.store import Store  # noqa: PLC0415 - see above

    return Store
