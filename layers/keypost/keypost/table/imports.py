"""Orders that were sold before Keypost: each is written with its codes, which never were in stock, all or nothing."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keypost.core.codes import NewCode, digest, key_of, tail
from keypost.core.errors import Conflict, Unmet
from keypost.core.frozen import dataclass
from keypost.core.order import Order
from keypost.core.telling import IMPORT
from keypost.table import Store
from keypost.table.items import TRIES, jitter, reference_key, to_wire
from keypost.table.orders import license_item

_MOST = 100  # writes that DynamoDB accepts in one transaction
_AT_ONCE = 8  # transactions


@dataclass(frozen=True, slots=True)
class ToImport:
    """An order, and which codes and licenses it has no more that an earlier import gave it."""

    order: Order
    codes: tuple[NewCode, ...]
    subscription: str = ""
    left: Order | None = None


class Imports(Store):
    """The table, for the one command that imports: no function loads this."""

    @classmethod
    def of(cls, store: Store) -> "Imports":
        return cls(store._client, store.table, store._pause)  # noqa: SLF001 - the same table

    def known_items(self, new: Sequence[NewCode]) -> dict[str, dict[str, Any]]:
        """The items that these codes have in the table, by code; also one that took case to count, or not to, then."""
        keys = {f"CODE#{digest(each.code, case_counts=case)}": each.code for each in new for case in (True, False)}
        return {keys[item["pk"]]: item for item in self._batch_get(list(keys))}

    def add_imported(self, wanted: Sequence[ToImport]) -> Iterator[tuple[Sequence[ToImport], list[str]]]:
        """Write orders with their codes. Yields for each part its orders, and the numbers of those that somebody else
        changed meanwhile, of which nothing was written."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = list(self._parts(wanted))
            for start in range(0, len(parts), _AT_ONCE):
                now = parts[start : start + _AT_ONCE]
                for part, failed in zip(now, pool.map(self._add_part, now), strict=True):
                    yield [each for each, _ in part], failed

    def _parts(self, wanted: Sequence[ToImport]) -> Iterator[list[tuple[ToImport, list[Any]]]]:
        """As many orders as fit into one transaction, each with its writes; one that does not fit stands alone."""
        part: list[tuple[ToImport, list[Any]]] = []
        for each in wanted:
            writes = self._writes(each)
            if part and sum(len(others) for _, others in part) + len(writes) > _MOST:
                yield part
                part = []
            part.append((each, writes))
        if part:
            yield part

    def _writes(self, each: ToImport) -> list[Any]:
        """Its codes and licenses, and the order itself as the last."""
        _, put, _ = self._order_put(each.order)
        left = each.left.licenses if each.left else ()
        kept = {key_of(code) for code in each.codes}
        gone = [one for one in left if key_of(one) not in kept]
        writes = [
            *({"Delete": self._of_table({"Key": {"pk": {"S": f"CODE#{key_of(one)}"}}})} for one in gone),
            *({"Delete": self._of_table({"Key": {"pk": {"S": f"LICENSE#{one.id}"}}})} for one in gone),
            *({"Put": self._of_table(_code_put(code, each.order.id))} for code in each.codes),
            *({"Put": self._of_table({"Item": license_item(one, each.order.id)})} for one in each.order.licenses),
        ]
        if each.subscription:
            item = {"pk": reference_key(each.subscription), "order_id": each.order.id, "told_by": IMPORT}
            writes.append({"Put": self._of_table({"Item": to_wire(item)})})
        return [*writes, {"Put": self._of_table(put)}]

    def _of_table(self, write: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self.table, **write}

    def _add_part(self, part: Sequence[tuple[ToImport, list[Any]]]) -> list[str]:
        if len(part) > 1 and self._is_added([write for _, writes in part for write in writes]):
            return []
        return [each.order.id for each, writes in part if not self._is_added(writes)]

    def _is_added(self, writes: Sequence[Any]) -> bool:
        """Whether these were written. What does not fit into one transaction is written with the order as the last: a
        crash before that leaves codes that lead to no order, and the next import goes on with them."""
        parts = [writes[start : start + _MOST] for start in range(0, len(writes), _MOST)]
        return all(map(self._is_written, parts))

    def _is_written(self, writes: Sequence[Any]) -> bool:
        for attempt in range(TRIES):
            try:
                self._transact(writes)
            except Unmet:
                return False
            except Conflict:
                self._pause(jitter(attempt))
            else:
                return True
        return False


def _code_put(new: NewCode, order_id: str) -> dict[str, Any]:
    """The item of a code that a customer has. It stands in no index of the stock. One that was withdrawn from stock may
    be it, and one that this very order has."""
    item = {
        "pk": f"CODE#{key_of(new)}",
        "code": new.code,
        "sku": new.sku,
        "state": "assigned",
        "order_id": order_id,
        "batch": new.batch,
        "case_counts": new.case_counts or None,
        "tail": tail(new.code) or None,
    }
    return {
        "Item": to_wire(item),
        "ConditionExpression": "attribute_not_exists(pk) OR #state = :withdrawn"
        " OR (#state = :assigned AND order_id = :order)",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":withdrawn": {"S": "withdrawn"},
            ":assigned": {"S": "assigned"},
            ":order": {"S": order_id},
        },
    }
