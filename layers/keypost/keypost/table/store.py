"""The whole table, put together."""

from keypost.table.aside import Asides
from keypost.table.at_hand import AtHands
from keypost.table.doors import Doors
from keypost.table.inbox import Inbox
from keypost.table.marks import Marks
from keypost.table.orders import Orders
from keypost.table.payments import Payments
from keypost.table.support_keys import SupportKeys
from keypost.table.wishes import Wishes


class Store(Orders, Asides, AtHands, Payments, Wishes, SupportKeys, Marks, Doors, Inbox):
    """The whole table. What must change together is changed in one transaction."""
