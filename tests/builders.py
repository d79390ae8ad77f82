"""Values for tests, each the simplest of its kind."""

import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import stripe
from standardwebhooks import Webhook

from cli.local.fake_providers import MOLLIE_KEY, STRIPE_KEY
from cli.local.fake_shops import MONEYBIRD_KEY, WOOCOMMERCE_KEY
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import telemetry
from keypost.core.codes import StockCode
from keypost.core.contents import with_payment
from keypost.core.licensing import with_codes
from keypost.core.mail import Asked, Fate, Mail, MailReport, MailSent, MailState, Purpose, Told
from keypost.core.mailing import settle_mail, with_report
from keypost.core.order import (
    BadCode,
    Cancellation,
    Concern,
    Customer,
    Decision,
    Gone,
    Hold,
    License,
    Order,
    Reason,
    Reminder,
    Renewal,
    Subscription,
    Term,
    TimelineEntry,
    Waiting,
)
from keypost.core.payment import (
    Dispute,
    DisputeState,
    FailedRefund,
    News,
    Payment,
    PaymentNotice,
    PaymentState,
    Refunded,
    with_notice,
)
from keypost.core.product import Kind, Line, Product, Step
from keypost.core.said import Said, said
from keypost.core.shop import Intake
from keypost.core.telling import Buyer, Goods, Sum
from keypost.emails import Shop
from keypost.providers.call import Call, Get
from keypost.table import Store
from keypost.table.items import from_wire, to_wire
from keypost.words import reader, sentence

EVENTS = Path(__file__).parents[1] / "events"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
SKU = "KASPERSKY-STANDARD-3D-1Y"
SESSION = "cs_test_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8c9"  # as long as those of Stripe
STRIPE_SECRET = "whsec_test_0123456789"
WEBHOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
WOOCOMMERCE_SECRET = "woocommerce-signing-secret"
MONEYBIRD_SECRET = "moneybird-signing-secret"
MOLLIE_TOKEN, MOLLIE_SECRET = "token-of-this-stack", "mollie-signing-secret"
SECRETS = {
    "stripe_signing": STRIPE_SECRET,
    "stripe_api_key": STRIPE_KEY,
    "webhook_signing": WEBHOOK_SECRET,
    "mollie_token": MOLLIE_TOKEN,
    "mollie_signing": MOLLIE_SECRET,
    "mollie_api_key": MOLLIE_KEY,
    "woocommerce_signing": WOOCOMMERCE_SECRET,
    "woocommerce_api_key": WOOCOMMERCE_KEY,
    "moneybird_signing": MONEYBIRD_SECRET,
    "moneybird_api_key": MONEYBIRD_KEY,
    "events_signing": WEBHOOK_SECRET,
}

PRODUCT = Product(
    sku=SKU,
    vendor="Kaspersky",
    name={"nl": "Kaspersky Standard", "en": "Kaspersky Standard"},
    term_days=365,
    devices=3,
    code_pattern="[A-Z0-9]{5}(-[A-Z0-9]{5}){3}",
    code_example="ABCDE-12345-FGHIJ-67890",
    download_url="https://downloads.example/standard",
    steps={kind: {"nl": (Step("Open het programma."),), "en": (Step("Open the program."),)} for kind in Kind},
)
SHOP = Shop(
    name="Voorbeeld Software",
    address="Voorbeeldstraat 1",
    kvk_number="12345678",
    sender_address="licenties@mail.voorbeeld.example",
    support_address="hulp@voorbeeld.example",
    zone=ZONE,
    public_url="https://keypost.example/v1",
)

INTAKE = Intake(currency="EUR", start=None)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # a start before everything that tests store

PURCHASE_MAIL = Mail("purchase-1", Purpose.PURCHASE, MailState.SENDING, NOW, attempts=1)
OTHER = replace(PRODUCT, sku="OTHER", name={"nl": "Ander <Pakket>", "en": "Other <Suite>"}, devices=1)
TWO_PRODUCTS = {SKU: PRODUCT, "OTHER": OTHER}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def english(what: Said) -> str:
    """The sentence that an English reader in the shop's zone gets."""
    return sentence(what, reader("en", ZONE))


def loaded(store: Store, order_id: str) -> Order:
    order = store.load(order_id)
    assert order is not None
    return order


def counted(printed: str, name: str) -> list[dict[str, str]]:
    """The dimensions of each count of a metric that has some of its own, as CloudWatch reads them in what a function
    prints."""
    metrics = [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]
    return [
        {dimension: each[dimension] for dimension in sorted(told["Dimensions"][0])}
        for each in metrics
        for told in each["_aws"]["CloudWatchMetrics"]
        if [metric["Name"] for metric in told["Metrics"]] == [name]
    ]


def without_start(store: Store) -> None:
    """Have nothing stored of the moment from which Keypost serves, as on a stack that was just deployed."""
    store._client.delete_item(TableName=store.table, Key={"pk": {"S": "START"}})


def product(sku: str) -> Product:
    return replace(PRODUCT, sku=sku)


def code(number: int, prefix: str = "AAAAA") -> str:
    return f"{prefix}-BBBBB-CCCCC-{number:05d}"


def notice(order_id: str = "2026-001234", *lines: Line, **changes: Any) -> PaymentNotice:
    """A paid payment of one license, unless told otherwise."""
    plain = PaymentNotice(
        provider="stripe",
        payment_id=f"cs_{order_id}",
        state=PaymentState.PAID,
        at=NOW,
        order_id=order_id,
        amount="39.95",
        currency="EUR",
        email="facturen@klant.example",
        name="Anna Jansen",
        language="nl",
        lines=lines or (Line(SKU, 1),),
    )
    return replace(plain, **changes)


def full_order() -> Order:
    """A renewal of which every part that is stored is there at least once."""
    day, later = NOW.date(), NOW + timedelta(days=30)
    asked = Asked(NOW, "anna", "the customer called", "key-1")
    told = Told(1, Fate.BOUNCED, NOW, "Permanent General")
    lines = (Line(SKU, 1, Kind.RENEWAL, "2025-000001", day, day), Line(SKU, 1))
    payment = Payment(
        names=("mollie:tr_1", "webhook:2026-000777"),
        state=PaymentState.PAID,
        at=NOW,
        sums=(Sum(by="mollie", said=NOW, amount="79.90", currency="EUR", is_paid=True),),
        goods=(Goods(by="webhook", said=NOW, lines=lines),),
        buyers=(Buyer(by="webhook", said=NOW, email="inkoop@klant.example", name="Anna Jansen"),),
        refunded=(Refunded(NOW, "5.00", by="mollie"),),
        failed_refunds=(FailedRefund("re_1", "5.00", NOW),),
        disputes=(Dispute("chargeback", DisputeState.WON, NOW),),
    )
    mail = Mail(
        id="renewal-1",
        purpose=Purpose.RENEWAL,
        state=MailState.SENT,
        next_at=None,
        attempts=1,
        message_id="0102",
        sent_at=NOW,
        may_have_left=True,
        lines=(1,),
        licenses=("LIC-ABCDEFGH23",),
        sent_to="facturen@klant.example",
        asked=asked,
        told=(told,),
    )
    return Order(
        id="2026-000777",
        created_at=NOW,
        customer=Customer(
            email="facturen@klant.example",
            name="Anna Jansen",
            language="en",
            corrected={"oud@klant.example": "facturen@klant.example"},
            wrong_names=("Ana Jansen",),
            language_by_person=True,
        ),
        hold=Hold(problem=said("other_currency", paid="USD", sold="EUR"), released=True),
        subscription=Subscription(is_charged=True),
        decisions=(
            Decision(
                "contents",
                asked,
                ("0123456789ab",),
                ("mollie:tr_1",),
                (Line(SKU, 1),),
                "facturen@klant.example",
                "B-1",
                day,
                "goodwill",
            ),
        ),
        last_line=2,
        cancellation=Cancellation(NOW, NOW, lifted=True),
        lines=lines,
        payments=(payment,),
        licenses=(License("LIC-ABCDEFGH23", 1, SKU, code(1), day, day),),
        mails=(mail,),
        timeline=(TimelineEntry(NOW, "payment_paid", {"payment": "tr_1", "provider": "mollie"}),),
        terms=(Term(1, day, day, NOW, NOW, NOW, "2025-000001", is_other_product=True),),
        renewals=(
            Renewal("2027-000001", 1, 1, "LIC-ABCDEFGH23", 365, day, day, day, day, 1, SKU, behind="2026-000999"),
        ),
        reminders=(Reminder(later, 1, 30),),
        waits=(
            Waiting(Reason.STOCK, said("too_few_codes", skus=[SKU]), NOW, later),
            Waiting(Reason.ADDRESS, said("address_bounced"), NOW, later),
        ),
        registered=("2025-000001",),
        blocked=("LIC-ABCDEFGH23",),
        bad_codes=(BadCode("LIC-ABCDEFGH23", code(2), SKU, "invalid", asked),),
        gone=(Gone("LIC-ABCDEFGH24", "moved", "HAND-ABCDEFGH23"),),
        moved_from="2025-000002",
        without_reminders=True,
        concerns=(Concern("nothing_came", NOW),),
    )


def with_future_fields(part: Any) -> Any:
    """A stored item as a newer version may have stored it: one more field on each part, at every depth."""
    if isinstance(part, list):
        return [with_future_fields(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.keys() <= {"code", "values"} and "code" in part:  # what is said grows by its values
        return part
    changed = {
        name: value if name in ("corrected", "values") else with_future_fields(value) for name, value in part.items()
    }
    return changed | {"of_the_future": {"since": "2031", "parts": [Decimal(len(part))]}}


def lost_fields(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where a field of the future was and is no more; members are found by what names them."""
    if isinstance(before, dict):
        after = after if isinstance(after, dict) else {}
        if after.get("of_the_future") != before.get("of_the_future"):
            yield path
            return
        for name, value in before.items():
            if name != "of_the_future":
                yield from lost_fields(value, after.get(name), f"{path}.{name}")
    elif isinstance(before, list):
        for place, member in enumerate(before):
            if isinstance(member, dict):
                yield from lost_fields(member, _same(member, after or [], place), f"{path}[{place}]")


def _same(member: dict[str, Any], others: list[Any], place: int) -> Any:
    for key in ("id", "order_id", "license", "by", "attempt", "reason", "days", "at"):
        if key in member:
            found = [each for each in others if (each.get(key), each.get("said")) == (member[key], member.get("said"))]
            return found[0] if found else None
    return others[place] if place < len(others) else None


def stored_item(store: Store, order_id: str) -> dict[str, Any]:
    """The item of an order as it is in the table."""
    key = {"pk": {"S": f"ORDER#{order_id}"}}
    return from_wire(store._client.get_item(TableName=store.table, Key=key, ConsistentRead=True)["Item"])


def put_item(store: Store, item: dict[str, Any]) -> None:
    """Put an item as another version, or a hand, would."""
    store._client.put_item(TableName=store.table, Item=to_wire(item))


def paid_order(order_id: str = "2026-001234", *lines: Line, **changes: Any) -> Order:
    return with_payment(None, notice(order_id, *lines, **changes), NOW, "EUR")


def of_customer(order: Order, **changes: Any) -> Order:
    """The order with these changes, of which the name, the address and the language are its customer's."""
    own = {name: changes.pop(name) for name in ("name", "email", "language") if name in changes}
    return replace(order, customer=replace(order.customer, **own), **changes)


def added_up(notices: Iterable[PaymentNotice]) -> Payment:
    """The one payment that these notices are about."""
    payments: tuple[Payment, ...] = ()
    for each in notices:
        payments, _ = with_notice(payments, each)
    (payment,) = payments
    return payment


def event(path: str) -> Any:
    return json.loads((EVENTS / path).read_text("utf-8"))


def stripe_event(
    changed: dict[str, Any] | None = None, recorded: str = "checkout.session.completed", **changes: Any
) -> bytes:
    """A recorded event of Stripe, if not told otherwise that of a paid session, with changes to its object and to the
    event itself."""
    body = event(f"stripe/{recorded}.json") | changes
    body["data"]["object"] |= changed or {}
    return json.dumps(body).encode()


def api(*things: Any) -> Get:
    """The API of a provider that has these answers, each for the path before it. One that is an error is raised."""
    answers = dict(zip(things[::2], things[1::2], strict=True))

    def get(path: str, _query: Any) -> Any:
        answer = answers.get(path)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return get


def stripe_item(sku: str | None = None, quantity: int = 1, **price: Any) -> dict[str, Any]:
    """An item of a session, as Stripe lists it."""
    product = {"id": "prod_1", "metadata": {"sku": sku} if sku else {}}
    return {"quantity": quantity, "price": {"id": "price_1", "lookup_key": None, "product": product, **price}}


def a_call(body: bytes, headers: dict[str, str] | None = None, **how: Any) -> Call:
    """A callback as a provider's module sees it, on a test stack at noon of NOW, with no API to ask."""
    plain = Call(body, headers or {}, {}, "test", NOW, ZONE, profile="", get=lambda _path, _query: None)
    return replace(plain, **how)


def stripe_headers(body: bytes, secret: str = STRIPE_SECRET, at: float | None = None) -> dict[str, str]:
    sign = stripe.WebhookSignature.generate_signature_header
    stamp = int(time.time() if at is None else at)
    return {"stripe-signature": sign(body.decode("utf-8", "surrogateescape"), secret, stamp)}


def webhook_headers(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, str]:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, body.decode()),
    }


def leaked(private: Iterable[str], read: Callable[[], str], plant: Callable[[str], object]) -> list[str]:
    """Which of these texts a channel holds. Each is then planted there and must be found: a search that cannot find
    what it looks for proves nothing."""
    found = [each for each in private if each in read()]
    for each in private:
        plant(each)
        assert each in read(), f"{each} was planted and is not found: this search proves nothing"
    return found


def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Returns a function that reads all that was printed since, including the metrics."""
    kept = io.StringIO()

    def read() -> str:
        kept.write(capsys.readouterr().out)
        return kept.getvalue()

    return read


def log(canary: str) -> None:
    """Write this text to the log of the functions, as careless code would."""
    telemetry.logger.info("canary", extra={"canary": canary})


def count(canary: str) -> None:
    """Count a metric that holds this text, as careless code would."""
    telemetry.metrics.add_metadata(key="canary", value=canary)
    telemetry.metrics.add_metric(name="Canary", unit="Count", value=1)
    telemetry.metrics.flush_metrics()


class Context:
    """The context that Lambda passes to a function."""

    function_name = "payment_callback"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:payment_callback"
    aws_request_id = "request-1"


class RunContext(Context):
    def __init__(self, *milliseconds: int) -> None:
        self._left = iter(milliseconds)

    def get_remaining_time_in_millis(self) -> int:
        return next(self._left, 300_000)


def pokes(stack: Stack, local: LocalStack) -> list[str]:
    """The order ids in the queue, one per poke."""
    sqs = local.session.client("sqs")
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=stack.queue.url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def licensed(order: Order, now: datetime = NOW) -> Order:
    """The order with its codes, while the mail with them is being sent."""
    taken = [StockCode(f"{order.id}-{n}", code(n), SKU) for n in range(sum(line.quantity for line in order.lines))]
    return with_codes(order, taken, {SKU: PRODUCT}, now, ZONE)


def mail_report(fate: Fate, attempt: int = 1, seconds: int = 60, **changes: str) -> MailReport:
    plain = MailReport(
        order_id="2026-001234",
        mail_id="purchase-1",
        attempt=attempt,
        fate=fate,
        at=NOW + timedelta(seconds=seconds),
        detail="General",
        address="facturen@klant.example",
        message_id=f"ses-{attempt}",
        sent_at=NOW + timedelta(seconds=attempt),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def with_fates(order: Order, *fates: Fate) -> Order:
    """The order after SES reported these fates of its mail, one after the other."""
    for fate in fates:
        order = with_report(order, mail_report(fate), NOW)
    return order


def sent_order() -> Order:
    """An order whose mail SES accepted."""
    return settle_mail(licensed(paid_order()), "purchase-1", 1, MailSent("ses-1"), NOW)


def ses_event(name: str, order_id: str = "2026-001234", mail_id: str = "purchase-1", **changes: Any) -> Any:
    """A recorded event of SES, changed to be about this mail."""
    found = event(f"ses/{name}.json")
    found["detail"]["mail"]["tags"] |= {"order": [order_id], "mail": [mail_id]}
    found["detail"] |= changes
    return found


def bought(*quantities: int, bad_codes: tuple[BadCode, ...] = (), **about: str | None) -> Order:
    """An order of this many codes of one product, and of another one."""
    lines = [Line(sku, quantity) for sku, quantity in zip(TWO_PRODUCTS, quantities, strict=False)]
    order = paid_order("2026-001234", *lines)
    numbers = [number for number, line in enumerate(lines, start=1) for _ in range(line.quantity)]
    licenses = [
        License(f"LIC-{n}", number, lines[number - 1].sku, code(n), date(2026, 11, 23), date(2027, 11, 22))
        for n, number in enumerate(numbers)
    ]
    customer = replace(order.customer, **about)  # type: ignore[arg-type]
    return replace(order, licenses=tuple(licenses), customer=customer, bad_codes=bad_codes)


def of_woocommerce(file: str = "order.updated.json", **changes: Any) -> bytes:
    """A recorded call of WooCommerce, with changes."""
    return json.dumps(event(f"woocommerce/{file}") | changes).encode()


def of_moneybird(file: str = "sales_invoice_state_changed_to_paid.json", **changes: Any) -> bytes:
    """A recorded call of Moneybird, with changes to its entity."""
    body = event(f"moneybird/{file}")
    body["entity"] |= changes
    return json.dumps(body).encode()


def only_notice(news: Sequence[News]) -> PaymentNotice:
    (notice,) = news
    assert isinstance(notice, PaymentNotice)
    return notice
