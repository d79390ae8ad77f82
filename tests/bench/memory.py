"""How much memory each function gets, and why: from what two calls of boto3 took on AWS in a public measurement (Python
3.13, arm64, warm: cebert/aws-lambda-performance-benchmarks, December 2025), and from the figures of the bench."""

from collections.abc import Mapping

from tests.bench.figures import Figure

TWO_CALLS = {128: 0.0750, 256: 0.0335, 512: 0.0159, 1024: 0.0136, 1769: 0.0115}  # seconds, by MB
OVER_BARE = 1.4  # what our code adds to bare boto3, as the area `warm` counted it
SES_WAITS = 0.06  # seconds more than another call that SES takes for a mail
GB_SECOND = 0.0000133334  # dollars
INIT_RUNTIME, INIT_BOTO3 = 0.1, 0.315  # seconds of Lambda's runtime and of stock boto3 while a function starts
WORTH = 0.1  # seconds that twice the memory has to save of one call

# The calls of AWS in a usual invocation of each function: a figure of the bench, or a number that the code says.
CALLS: dict[str, str | int] = {
    "AdvanceOrders": "calls/worker",
    "DeliverEvents": 1,  # and the shop's own time, which no memory shortens
    "FindDueOrders": "calls/nothing_due",
    "GuidePage": 1,
    "MailFeedback": "calls/feedback",
    "PaymentCallback": "calls/callback",
    "ReconcilePayments": "calls/reconcile_nothing",
    "RemindersPage": 2,
    "SelfServicePage": "calls/resend_page",
    "SendAgain": "calls/resend_granted",
    "SupportApi": "calls/get_due",
    "SupportAuth": 2,
    "SupportPage": 0,
    "TellEvents": 2,
    "WriteDailyNote": "calls/note_nothing",
}
_SENDS_MAIL = {"AdvanceOrders"}


def seconds(memory: int, calls: float, mails: float = 0, over_bare: float = OVER_BARE) -> float:
    """Of one warm invocation with so many calls of AWS, of which `mails` send a mail."""
    return over_bare * calls * TWO_CALLS[memory] / 2 + mails * SES_WAITS


def gb_seconds(memory: int, calls: float, mails: float = 0, over_bare: float = OVER_BARE) -> float:
    return seconds(memory, calls, mails, over_bare) * memory / 1024


def chosen(calls: float) -> int:
    """The memory with which calls of AWS cost least, and twice that as long as it saves enough of an invocation's time.
    Time that SES takes does not depend on memory, and how long a function starts does not either."""
    memory = min(TWO_CALLS, key=lambda each: gb_seconds(each, 1))
    while 2 * memory in TWO_CALLS and seconds(memory, calls) - seconds(2 * memory, calls) >= WORTH:
        memory *= 2
    return memory


def calls_of(function: str, measured: Mapping[str, Figure]) -> float | None:
    """None where it was not measured."""
    known = CALLS[function]
    if isinstance(known, int):
        return known
    return measured[known].value if known in measured else None


def reasons(measured: Mapping[str, Figure]) -> str:
    """Markdown; empty when no calls were counted."""
    rows = [row for function in CALLS if (row := _row(function, measured))]
    if "calls/worker" not in measured:
        return ""
    sizes = [256, 512, 1024, 1769]
    return "\n".join(
        [
            "## Memory of each function\n",
            _RULE,
            f"| function | starts, ms | calls | {' | '.join(f'{size} MB' for size in sizes)} | chosen, MB |",
            "| --- " + "| ---: " * (len(sizes) + 3) + "|",
            *rows,
            "",
        ]
    )


_RULE = f"""\
Lambda gives CPU by memory, a whole one at 1,769 MB, but starts each function on a whole one whatever its memory: the
start does not count here. A call of AWS costs about as much with 128 as with 512 MB, as it takes so much longer with
less, and more with 1,024 MB, where it mostly waits for its answer. So a function has 512 MB, and twice that only where
that saves {WORTH * 1000:.0f} ms of a usual invocation. The table has milliseconds of a warm one and dollars for a
million of them, estimated from a public measurement on AWS and from the calls that were counted.
"""


def _row(function: str, measured: Mapping[str, Figure]) -> str:
    calls = calls_of(function, measured)
    if calls is None:
        return ""
    mails = int(function in _SENDS_MAIL)
    cells = [
        f"{seconds(size, calls, mails) * 1000:.0f} ms, ${gb_seconds(size, calls, mails) * GB_SECOND * 1e6:.2f}"
        for size in (256, 512, 1024, 1769)
    ]
    return f"| {function} | {_start(function, measured)} | {calls:g} | {' | '.join(cells)} | {chosen(calls)} |"


def _start(function: str, measured: Mapping[str, Figure]) -> str:
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function).strip("_")
    cold = measured.get(f"cold/{name.replace('self_service_page', 'self_service')}")
    return f"{(INIT_RUNTIME + INIT_BOTO3 * cold.value) * 1000:.0f}" if cold else ""
