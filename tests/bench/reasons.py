"""Why each call of AWS is made: for a promise (by its number in the design) or the API as it was agreed, or for
something else, which the floor leaves out."""

import re
from dataclasses import dataclass

from tests.bench.capacity import Call


@dataclass(frozen=True, slots=True)
class Reason:
    why: str
    is_needed: bool = True  # a promise, or the API as it was agreed, cannot do without


def reason_of(call: Call) -> Reason:
    """KeyError for a call that nobody has given a reason here."""
    name = re.sub(r"\b\d+ ", "", call.name.partition(", 1 entry")[0])
    return REASONS[re.sub(r", \d+ entries$|, entries$", "", name)]


def _beside(why: str) -> Reason:
    return Reason(why, is_needed=False)


# By operation and what it is about, without numbers.
REASONS = {
    "BatchGetItem ASIDE, ORDER": Reason("the order, and what was told while it could not be written (10, 12)"),
    "BatchGetItem BOUNCED, PAUSE, PRODUCT": Reason("what the mail says, and whether its address takes any"),
    "BatchGetItem BOUNCED, CODES, PAUSE, PRODUCT": Reason("the same, and when codes of a product came last (1)"),
    "BatchGetItem BOUNCED, ORDER": Reason("the customer's orders, and whether their address takes any mail"),
    "BatchGetItem CODE": Reason("whether a code is known (2), or can still be activated"),
    "BatchGetItem CODE, RECALLED": Reason("the codes themselves, and the batches that were withdrawn (2)"),
    "BatchGetItem DOOR": _beside("when each provider called last; once an hour, and once for an environment"),
    "BatchGetItem FORGOTTEN": _beside("how many customers were forgotten, for the note"),
    "BatchGetItem ORDER": Reason("the orders themselves"),
    "BatchGetItem PRODUCT": Reason("what is sold; a SKU that was seen is not looked for again by callbacks"),
    "BatchGetItem USED": _beside("codes that took the place of others, for the forecast"),
    "GetAccount": Reason("how many mails SES takes in a second; once for an environment"),
    "GetItem BOUNCED": Reason("whether the address is blocked, which the answer says"),
    "GetItem CATALOG": Reason("which products there are"),
    "GetItem NOTED": _beside("since when remarks are counted, for the note"),
    "GetItem ORDER": Reason("what is known of an order decides what is new (2)"),
    "GetItem START": Reason("from which moment Keypost serves; once a minute"),
    "GetItem WISH": Reason("what the customer asked for: the queue has an id only (7)"),
    "GetSecretValue": Reason("the secret of the signature; every five minutes (8)"),
    "GetSuppressedDestination": Reason("whether SES drops mail to the address, which the answer says"),
    "PutItem INBOX": Reason("what changed nothing is written down (12)"),
    "PutItem ORDER": Reason("what became of the order, on condition that nobody else changed it (2, 3)"),
    "PutItem WISH": Reason("what the customer asked for: the same work for every address (8)"),
    "Query index attention": _beside("what needs a person, or is set aside"),
    "Query index attention of a product": Reason("who needs these codes sooner; once a minute while there are many"),
    "Query index customer": Reason("the customer's orders: a copy in the books is no second order (1), or a wish's"),
    "Query index due": Reason("what is due, in each of 16 parts (3)"),
    "Query index stock": Reason("which codes may be free (1)"),
    "SendEmail": Reason("the mail"),
    "SendMessage": Reason("the poke: at once, and not within 15 minutes"),
    "SendMessageBatch": Reason("the pokes: at once, and not within 15 minutes"),
    "TransactWriteItems CODE": Reason("a code is known once, ever (2)"),
    "TransactWriteItems ORDER, CODE, LICENSE": Reason("the order gets its code, or neither changes (2)"),
    "TransactWriteItems PAYMENT": Reason(
        "whose payment this is, under each of its names: money back names no order (4)"
    ),
    "UpdateItem BOUNCED": Reason("no other order mails there any more"),
    "UpdateItem CODES": Reason("a lost poke of a product that got codes is made up for (1)"),
    "UpdateItem MAILS": _beside("the list of a day's mails; not where the order was created within an hour"),
    "UpdateItem NOTE": _beside("one run writes the note"),
    "UpdateItem NOTED": _beside("up to when remarks were counted, for the note"),
    "UpdateItem PAYMENT": Reason("whose payment this is: money back names no order (4)"),
    "UpdateItem RECONCILED": Reason("up to when a provider was asked (3)"),
    "UpdateItem REFERENCE": Reason("the shop's number of it: a copy in the books is no second order (1)"),
    "UpdateItem ROUNDS": Reason("how often the customer's wish was granted today"),
    "UpdateItem TRIES": Reason("how often this network asked in this hour"),
}
