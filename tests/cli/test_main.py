import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.main import cli
from cli.speech import of_locale
from cli.stacks import Stack
from keypost.core.codes import StockCode
from keypost.core.contents import with_payment
from keypost.core.keys import DEFAULT_SCOPES, check, key_id, new_key
from keypost.core.licensing import with_codes
from keypost.core.mail import Asked, MailSent
from keypost.core.mailing import settle_mail
from keypost.core.obstacles import is_servable
from keypost.core.order import Order, Reason, Renewal, waiting_for
from keypost.core.payment import PaymentState, Refunded, Remark
from keypost.core.periods import local_day
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of, with_terms
from keypost.core.said import Said
from keypost.words import day
from tests import builders
from tests.builders import NOW, SKU, ZONE, code, loaded, notice, paid_order, put_item
from tests.cli.smoke_events import tell

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


PRODUCT = """
[[product]]
sku = "NEW-SKU"
vendor = "Vendor"
name = { nl = "Pakket", en = "Suite" }
term_days = 365
devices = 1
code_pattern = "[A-Z]{4}"
code_example = "ABCD"
download_url = "https://vendor.example/download"
steps = { new = { nl = ["Doe."], en = ["Do."] }, renewal = { nl = ["Doe."], en = ["Do."] } }
"""


def poked(stack: Stack, local: LocalStack) -> list[str]:
    sqs = local.session.client("sqs")
    messages = sqs.receive_message(QueueUrl=stack.queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=10).get(
        "Messages", []
    )
    return [message["Body"] for message in messages]


def test_products_of_a_file_enter_the_catalog_and_orders_that_waited_for_them_go_on(
    run: Run, here: Stack, local: LocalStack
) -> None:
    here.store.save(waiting_for(paid_order("waits"), Reason.PRODUCT, Said("NEW-SKU"), NOW))
    Path("products.toml").write_text(PRODUCT)

    status, out, _ = run("products", "apply", "products.toml")

    assert status == 0
    assert out == "NEW-SKU: applied\nwaiting orders that Keypost tries again: 1\n"
    assert here.store.products(["NEW-SKU"])["NEW-SKU"].name["nl"] == "Pakket"
    assert poked(here, local) == ["waits"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('code_example = "ABCD"', 'code_example = "1234"', "`code_example` does not match `code_pattern`"),
        ('"[A-Z]{4}"', '"[A-Z"', "is not a regular expression"),
        ('"[A-Z]{4}"', '"[A-Z]+"', "has a repetition without a limit"),
        ('"[A-Z]{4}"', '"[A-Z]{4,}"', "has a repetition without a limit"),
        ('"[A-Z]{4}"', '"([A-Z]{1,30}){1,30}"', "can be read in too many ways"),
        ('"[A-Z]{4}"', '"[A-Z]{4294967296}"', "is not a regular expression"),
        ('"[A-Z]{4}"', '"[a-z]{4}"', "`code_example` does not match `code_pattern`"),
        ("https://", "http://", "download_url"),
        ("term_days = 365", "term_days = 0", "term_days"),
        ("devices = 1", "devises = 1", "`devices` is missing"),
        ('en = "Suite"', 'fr = "Suite"', "not in the same languages"),
        ("renewal =", "resale =", "steps"),
        ('en = "Suite"', 'en = "Suite\\nBcc: x"', "name.en"),
        ('en = "Suite"', 'en = "Su\\u202eeti"', "another invisible character"),
        ('en = "Suite"', 'en = "  "', "`name.en` is too short"),
        ("[[product]]", "[product]", "no [[product]]"),
        ("[[product]]", "[[product", "is not TOML"),
    ],
)
def test_a_product_that_does_not_fit_is_refused_in_one_line_and_changes_nothing(
    run: Run, here: Stack, old: str, new: str, fault: str
) -> None:
    Path("products.toml").write_text(PRODUCT.replace(old, new))

    status, out, err = run("products", "apply", "products.toml")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert fault in err
    assert here.store.products(["NEW-SKU"]) == {}


def test_codes_of_a_file_enter_the_stock_and_orders_that_waited_go_on(run: Run, here: Stack, local: LocalStack) -> None:
    here.store.save(waiting_for(paid_order("waits"), Reason.STOCK, Said("x"), NOW))
    rows = "".join(f"{code(n)};B-7;2027-12-31\r\n" for n in range(3))
    Path("codes.csv").write_text("\ufeffcode;batch;activate_before\r\n" + rows)

    status, out, _ = run("stock", "import", "codes.csv", "--sku", SKU)

    assert status == 0
    assert out == "codes added: 3, left out: 0\nwaiting orders that Keypost tries again: 1\n"
    assert {free.code for free in here.store.pick(SKU, 9, NOW.date())} == {code(0), code(1), code(2)}
    assert poked(here, local) == [f"CODES#{SKU}"]  # whose poke has the first in line looked at


def test_what_is_wrong_is_told_by_line_and_the_rest_is_imported_once(run: Run, here: Stack) -> None:
    list(here.store.add_codes(SKU, [code(9)], None, None))
    lines = [
        f"{code(1)},{SKU},",
        f"{code(1).lower()},{SKU},",
        "0123ABCD-0123-4567-89AB-0123456789AB," + SKU + ",",
        f"{code(2)},UNKNOWN,",
        f"{code(9)},{SKU},",
        f"{code(3)},{SKU},31-12-27",
        f",{SKU},",
        "",
        f"{code(5)},{SKU},2020-01-01",
        f'"{code(6)},{SKU},',
        f"{code(7)},{SKU},,,{code(8)}",
        f"{SKU},{code(8)},",
        f"{code(4)},{SKU},2027-12-31",
    ]
    Path("codes.csv").write_text("code,sku,activate_before\n" + "\n".join(lines))

    status, out, err = run("stock", "import", "codes.csv")

    assert status == 1
    assert out == "codes added: 2, left out: 10\n"
    told = [line for line in err.splitlines() if line.startswith("codes.csv:")]
    assert [line.split(":")[1] for line in told] == ["3", "4", "5", "6", "7", "8", "10", "11", "12", "13"]
    reasons = ["as on line 2", "licence key", "not in the catalogue", "already imported", "not a date", "not a code"]
    reasons += ["has passed", "not CSV", "more cells", "not in the catalogue"]
    assert [reason for line, reason in zip(told, reasons, strict=True) if reason not in line] == []
    assert not any(code(n) in err + out for n in range(10))
    assert {free.code for free in here.store.pick(SKU, 9, NOW.date())} == {code(n) for n in (1, 4, 9)}


def test_a_file_imported_twice_adds_nothing(run: Run, here: Stack) -> None:
    Path("codes.csv").write_text(f"code,sku\n{code(1)},{SKU}\n")
    run("stock", "import", "codes.csv")

    assert run("stock", "import", "codes.csv")[:2] == (1, "codes added: 0, left out: 1\n")
    assert len(here.store.pick(SKU, 9, NOW.date())) == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "A line above the codes must name the columns"),
        (b"AAAAA-BBBBB-CCCCC-00001\n", "A line above the codes must name the columns"),
        (b"code\nA\n", "name the product with --sku"),
        (b"code,sku,code\nA,B,C\n", "a column twice"),
        (b'"code,sku\nA,B\n', "not CSV"),
        ("code,sku\nA,\ufffd\n".encode(), "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_file_of_codes_is_refused_in_one_line(
    run: Run, here: Stack, content: bytes, fault: str
) -> None:
    Path("codes.csv").write_bytes(content)

    status, out, err = run("stock", "import", "codes.csv")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert fault in err


@pytest.mark.parametrize(
    "words",
    [
        ["stok"],
        ["stock", "import"],
        ["stock", "import", "missing.csv"],
        ["stock", "import", "--price", "1", "x.csv"],
        ["products", "apply", "."],
        ["secrets", "set", "password"],
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2(run: Run, words: list[str]) -> None:
    status, out, err = run(*words)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("keypost: ")
    assert "--help" in err


def test_without_a_local_stack_the_command_says_how_to_start_one(run: Run) -> None:
    Path("codes.csv").write_text("code,sku\n")

    status, _, err = run("stock", "import", "codes.csv")

    assert status == 1
    assert "make run" in err
    assert err.count("\n") == 1


def test_a_local_stack_that_is_gone_is_told(run: Run) -> None:
    Path(".local").mkdir()
    gone = {"endpoint_url": "http://127.0.0.1:1", "region": "eu-west-1", "stack": "keypost"}
    Path(".local/stack.json").write_text(json.dumps(gone))
    Path("codes.csv").write_text("code,sku\n")

    status, _, err = run("stock", "import", "codes.csv")

    assert status == 1
    assert "does not answer" in err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"endpoint_url": 1}'])
def test_a_damaged_stack_file_is_told(run: Run, content: str) -> None:
    Path(".local").mkdir()
    Path(".local/stack.json").write_text(content)
    Path("codes.csv").write_text("code,sku\n")

    status, _, err = run("stock", "import", "codes.csv")

    assert (status, err.count("\n")) == (1, 1)
    assert "is damaged" in err


def test_a_deployed_stack_is_found_by_its_name(run: Run, published: Callable[[str | None], Stack]) -> None:
    stack = published(None)
    Path("products.toml").write_text(PRODUCT)

    assert run("products", "apply", "products.toml", "--stack", stack.store.table)[0] == 0
    assert "NEW-SKU" in stack.store.products(["NEW-SKU"])

    status, _, err = run("products", "apply", "products.toml", "--stack", "nowhere")
    assert status == 1
    assert "The stack nowhere was not found" in err


def test_a_secret_is_set_beside_the_others_and_is_not_shown(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.secrets.set("webhook_signing", "kept")
    monkeypatch.setattr("sys.stdin", io.StringIO("whsec_new whsec_old\n"))

    status, out, err = run("secrets", "set", "stripe_signing")

    assert (status, err) == (0, "")
    assert "whsec" not in out
    assert stored(here) == {"webhook_signing": "kept", "stripe_signing": "whsec_new whsec_old"}


def stored(stack: Stack) -> Any:
    client = stack.secrets.client
    return json.loads(client.get_secret_value(SecretId=stack.secrets.secret_id)["SecretString"])


def test_no_value_sets_no_secret(run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))

    assert run("secrets", "set", "stripe_signing")[0] == 1
    assert stored(here) == {}


@pytest.mark.parametrize("name", ["mollie_token", "webhook_signing"])
def test_a_secret_of_ours_is_made_set_and_printed_once(run: Run, here: Stack, name: str) -> None:
    status, out, _ = run("secrets", "generate", name)

    assert status == 0
    assert stored(here) == {name: out.strip()}
    assert len(out.strip()) >= 32


def test_help_names_every_command(run: Run) -> None:
    status, out, _ = run("--help")

    assert status == 0
    assert all(f"\n  {name} " in out for name in cli.commands)
    assert "..." not in out.partition("[ARGS]...")[2]
    assert "Exit status: 0 done, 1 failed, 2 wrong use, 130 stopped." in out


def a_renewal(order_id: str, starts_in: int, **changes: Any) -> Order:
    """A renewal whose period begins this number of days after today."""
    first = datetime.now(UTC).date() + timedelta(days=starts_in)
    line = Line(SKU, 1, Kind.RENEWAL, "elsewhere", first, first + timedelta(days=364))
    order = paid_order(order_id, line, **changes)
    term = term_of(Renewal(order_id, 1, 0, None, 365, NOW.date()), (first, first), builders.PRODUCT, None, ZONE)
    return with_terms(order, [replace(term, is_paid=order.is_paid)], None, NOW, ZONE)


def test_due_shows_what_leaves_on_which_day_and_what_does_not_and_why(run: Run, here: Stack) -> None:
    here.store.save(a_renewal("soon", 10))
    here.store.save(a_renewal("unpaid", 12, state=PaymentState.OPEN))
    here.store.save(a_renewal("far", 60))
    here.store.save(a_renewal("dollars", 11, currency="USD"))
    today = datetime.now(UTC).date()

    status, out, _ = run("due", "--days", "14")

    assert status == 0
    rows = [re.split("  +", line) for line in out.splitlines()]
    days = [day(today + timedelta(days=days), "en") for days in (3, 4, 5)]
    assert [row[:2] for row in rows[:3]] == [[days[0], "soon"], [days[1], "dollars"], [days[2], "unpaid"]]
    assert rows[0][2] == "codes of the renewal (line 1)"
    assert rows[1][2].endswith(": not sent, the payment is in USD, but this shop sells in EUR")
    assert rows[2][2].endswith(": not sent, the order has not been paid")
    assert out.endswith("e-mails due within 14 days: 1, kept back: 2\n")


def test_the_inbox_is_listed_for_people_and_for_programs(run: Run, here: Stack) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for n in range(51):
        here.store.put_remark(Remark("webhook", now - timedelta(minutes=n), Said("nothing_bought"), f"2026-{n}"))
    here.store.put_remark(Remark("moneybird", now - timedelta(days=8), Said("credit_note")))

    status, out, _ = run("inbox")

    assert status == 0
    lines = out.splitlines()
    assert len(lines) == 52
    at = f"{now.astimezone(ZONE):%Y-%m-%d %H:%M}"
    assert lines[0] == f"{at}  webhook      2026-0  it is not known what was bought"
    assert lines[-1] == "in the inbox, of the last 7 days: 51"

    told = [json.loads(line) for line in run("inbox", "--json", "--days", "9", "--lang", "nl")[1].splitlines()]
    assert len(told) == 52
    assert told[-1] == {
        "at": (now - timedelta(days=8)).isoformat().replace("+00:00", "Z"),
        "provider": "moneybird",
        "order_id": None,
        "reason": {
            "code": "credit_note",
            "values": {},
            "text": "de factuur is geheel of deels verrekend met een creditnota",
        },
    }


def test_a_person_holds_an_order_and_lets_it_go(run: Run, here: Stack, local: LocalStack) -> None:
    here.store.save(a_renewal("soon", 10))

    assert run("due", "--hold", "soon")[:2] == (0, "order soon is on hold\n")
    held = here.store.load("soon")
    assert held is not None
    assert not is_servable(held)
    assert "not sent, a colleague put the order on hold" in run("due")[1]

    assert run("due", "--release", "soon")[:2] == (0, "order soon is released\n")
    released = here.store.load("soon")
    assert released is not None
    assert is_servable(released)
    assert poked(here, local) == ["soon", "soon"]


def test_an_order_that_does_not_exist_or_cannot_be_served_is_not_let_go(run: Run, here: Stack) -> None:
    here.store.save(with_payment(None, replace(notice("bare"), lines=()), NOW, "EUR"))

    assert run("due", "--hold", "none")[2].startswith("keypost: There is no order none: ")
    status, _, errors = run("due", "--release", "bare")
    assert status == 1
    assert "it is not known what was bought" in errors


def test_a_support_key_is_printed_once_and_only_its_digest_is_kept(run: Run, here: Stack, local: LocalStack) -> None:
    status, out, said = run("support-key", "create", "--agent", "anna")

    key, id_ = out.strip(), key_id(out.strip())
    assert (status, id_ is not None) == (0, True)
    kept = here.store.support_key(str(id_))
    assert check(key, kept, datetime.now(UTC)).scopes == ("support", "contact")
    assert f"key {id_} of anna gives access to support, contact until " in said
    items = local.session.client("dynamodb").scan(TableName=here.store.table)["Items"]
    kept_or_listed = json.dumps(items) + run("support-key", "list")[1]
    assert kept_or_listed.count(str(id_)) >= 2
    assert key.rpartition("_")[2] not in kept_or_listed


def test_a_support_key_has_the_scopes_and_days_that_were_asked_for(run: Run, here: Stack) -> None:
    run("support-key", "create", "--agent", "robot", "--scope", "stock", "--scope", "catalog", "--days", "30")

    [kept] = here.store.support_keys()
    assert kept.scopes == ("stock", "catalog")
    assert kept.expires_at - kept.created_at == timedelta(days=30)


@pytest.mark.parametrize(
    "words", [("--agent", "anna", "--scope", "admin"), ("--agent", "an\tna"), ("--agent", "anna", "--days", "0"), ()]
)
def test_a_support_key_that_makes_no_sense_is_not_made(run: Run, here: Stack, words: tuple[str, ...]) -> None:
    status, out, errors = run("support-key", "create", *words)

    assert status in {1, 2}
    assert (out, errors.startswith("keypost: ")) == ("", True)
    assert here.store.support_keys() == []


def test_support_keys_are_listed_with_what_they_open_and_when_they_were_used(run: Run, here: Stack) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    made = [new_key(name, DEFAULT_SCOPES, days, now) for name, days in (("anna", 30), ("bo", 30), ("old", -1))]
    for _, key in made:
        here.store.put_support_key(replace(key, created_at=now + timedelta(days=len(key.agent))))
    anna, bo, old = (key for _, key in made)
    here.store.note_support_key_used(anna.id, now.date())

    assert run("support-key", "revoke", bo.id)[:2] == (
        0,
        f"key {bo.id} is revoked; within a minute every request with it will be refused\n",
    )
    status, out, _ = run("support-key", "list")

    assert status == 0
    assert [line.split() for line in out.splitlines()] == [
        f"{bo.id} revoked {day(local_day(now, ZONE), 'en')} bo (support, contact)".split(),
        f"{old.id} expired {day(local_day(old.expires_at, ZONE), 'en')} old (support, contact)".split(),
        (
            f"{anna.id} valid {day(local_day(anna.expires_at, ZONE), 'en')} anna (support, contact), last used on"
            f" {day(now.date(), 'en')}"
        ).split(),
    ]


def test_a_support_key_that_cannot_be_read_keeps_no_other_one_from_being_listed(run: Run, here: Stack) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    anna, bo = (new_key(name, DEFAULT_SCOPES, 30, now)[1] for name in ("anna", "bo"))
    for key in (anna, bo):
        here.store.put_support_key(key)
    put_item(here.store, {"pk": f"KEY#{bo.id}", "agent": 7})

    status, out, _ = run("support-key", "list")

    assert status == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith((anna.id, bo.id))] == [anna.id]


def test_a_support_key_that_does_not_exist_is_not_revoked(run: Run, here: Stack) -> None:
    status, _, errors = run("support-key", "revoke", "0123456789")

    assert (status, errors) == (
        1,
        "keypost: There is no key 0123456789: `keypost support-key list` shows them.\n",
    )


def test_a_person_says_that_the_codes_of_an_order_are_blocked(run: Run, here: Stack) -> None:
    back = notice("refunded", state=None, refunded=Refunded(NOW, full=True))
    order = with_codes(paid_order("refunded"), [StockCode("digest", code(1), SKU)], {SKU: builders.PRODUCT}, NOW, ZONE)
    here.store.save(with_payment(order, back, NOW, "EUR"))
    assert list(here.store.needing(Reason.BLOCK)) == [["refunded"]]

    assert run("blocked", "refunded")[:2] == (0, "the codes of order refunded are noted as blocked\n")

    assert list(here.store.needing(Reason.BLOCK)) == []
    assert run("blocked", "none")[2].startswith("keypost: There is no order none")


def test_a_person_says_that_a_subscription_was_ended(run: Run, here: Stack) -> None:
    here.store.save(
        replace(paid_order("monthly"), subscription=replace(paid_order("monthly").subscription, is_charged=True))
    )
    here.store.save(paid_order("once"))

    said = run("subscription-ended", "monthly")
    assert said[:2] == (0, "the subscription of order monthly is noted as ended\n")
    assert loaded(here.store, "monthly").subscription.has_ended
    assert "has no subscription" in run("subscription-ended", "once")[2]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("option", ["--hold", "--release"])
def test_an_empty_number_is_refused_and_not_taken_for_no_number(run: Run, option: str) -> None:
    status, out, err = run("due", option, "")

    assert (status, out, err[:27]) == (1, "", "keypost: There is no order ")


def test_a_person_of_a_reserved_name_is_not_taken_for_the_system(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "keypost")
    here.store.save(paid_order("by-root"))

    assert run("due", "--hold", "by-root")[0] == 0

    assert loaded(here.store, "by-root").timeline[-1].who == "agent keypost"


def test_a_person_whose_account_has_no_name_is_known_by_its_number(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987654321)
    here.store.save(paid_order("by-number"))

    assert run("due", "--hold", "by-number")[0] == 0

    assert loaded(here.store, "by-number").timeline[-1].who == "987654321"


def test_the_smoke_test_says_what_came_and_what_is_missing(here: Stack, local: LocalStack, run: Run) -> None:
    silent = {"suppressionlist"}

    def tell_at_once() -> None:
        """SES tells what becomes of a mail as soon as it has it."""
        _, name, which = local.mailbox.mails[-1].tags["mail"].split("-")
        if which not in silent:
            tell(here, name, which)

    local.mailbox.after_send = tell_at_once

    status, out, err = run("mail", "smoke-test", "--stack", here.store.table, "--minutes", "0")

    assert status == 1
    assert "1/5  success@: delivered" in out
    assert "4/5  complaint@: reported as spam" in out
    assert "Not reported within 0 minutes: suppressionlist@. Check" in err

    silent.clear()
    status, out, _ = run("mail", "smoke-test", "--stack", here.store.table, "--minutes", "0")
    assert status == 0
    assert out.endswith("SES accepts e-mail from this stack, and its events arrive\n")


def test_the_smoke_test_needs_a_deployed_stack(run: Run) -> None:
    status, _, err = run("mail", "smoke-test")

    assert status == 2
    assert "--stack" in err


def test_an_export_has_all_orders_but_those_that_cannot_be_told_in_whole_and_names_these(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for order_id in ("damaged", "sound"):
        order = paid_order(order_id)
        here.store.save(replace(order, timeline=order.timeline * 70))
    builders.put_item(here.store, {"pk": "ORDER#damaged/TIMELINE#0", "entries": 7})
    monkeypatch.setattr("sys.stdin", io.StringIO("facturen@klant.example\n"))

    status, out, err = run("export")

    assert (status, [order["order_id"] for order in json.loads(out)]) == (1, ["sound"])
    assert err == "keypost: These orders cannot be read and are not in the export: damaged.\n"


def test_all_that_is_known_of_a_customer_is_exported_as_json_without_their_codes(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = with_codes(paid_order("to-export"), [StockCode("d", code(1), SKU)], {SKU: builders.PRODUCT}, NOW, ZONE)
    here.store.save(order)
    monkeypatch.setattr("sys.stdin", io.StringIO("Facturen@klant.example\n"))

    status, out, _ = run("export")

    (told,) = json.loads(out)
    assert (status, told["order_id"], told["email"]) == (0, "to-export", "facturen@klant.example")
    assert code(1)[-5:] in out
    assert code(1)[:-5] not in out


def test_a_note_in_a_claim_is_a_text_in_every_spreadsheet(run: Run, here: Stack) -> None:
    for number, note in enumerate(["x;=1+1", "=1+1"]):
        list(here.store.add_codes(SKU, [code(number)], "B", None))
        order, taken = here.store.save(paid_order(f"claim-{number}")), here.store.pick(SKU, 1, NOW.date())
        order = here.store.assign(with_codes(order, taken, {SKU: builders.PRODUCT}, NOW, ZONE), taken, NOW.date())
        here.store.save(settle_mail(order, "purchase-1", 1, MailSent("m-1"), NOW))
        list(here.store.add_codes(SKU, [code(10 + number)], "C", None))
        here.desk.swap_code(order.id, order.licenses[0].id, "invalid", Asked(NOW, "anna", note))

    _, out, _ = run("claims", "--batch", "B")

    assert out.splitlines() == [
        "code,sku,reason,day,note",
        f'{code(0)},{SKU},invalid,2026-11-23,"x,=1+1"',
        f"{code(1)},{SKU},invalid,2026-11-23,'=1+1",
    ]


def test_the_option_lang_and_else_the_locale_choose_the_language(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.store.save(a_renewal("unpaid", 12, state=PaymentState.OPEN))
    on = datetime.now(UTC).date() + timedelta(days=5)

    english = run("due")[1].splitlines()
    dutch = run("due", "--lang", "nl")[1].splitlines()
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")

    assert english == [
        f"{day(on, 'en'):<17}  unpaid  codes of the renewal (line 1): not sent, the order has not been paid",
        "e-mails due within 14 days: 0, kept back: 1",
    ]
    why = "niet verstuurd, de bestelling is niet betaald"
    assert dutch == [
        f"{day(on, 'nl'):<17}  unpaid  codes van de verlenging (regel 1): {why}",
        "e-mails in de komende 14 dagen: 0, tegengehouden: 1",
    ]
    assert run("due")[1].splitlines() == dutch
    assert run("--lang", "en", "due")[1].splitlines() == english
    assert run("due", "--hold", "none")[2] == (
        "keypost: Er is geen bestelling none: controleer het nummer, of zoek op e-mailadres.\n"
    )


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "nl_NL.UTF-8"}, "nl"),
        ({"LANG": "nl_NL.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "nl_BE"}, "nl"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "xx_XX.UTF-8"}, "en"),
        ({"LANG": "C", "LC_ALL": ""}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale_is_read_as_every_program_reads_it(variables: dict[str, str], language: str) -> None:
    assert of_locale(variables) == language


def test_the_start_is_shown_and_changed_as_a_day_of_the_shops_zone(run: Run, here: Stack) -> None:
    assert run("start", "--json") == (0, '{"from": null}\n', "")
    assert run("start")[1].startswith("No start is set: Keypost handles every paid order")

    since = "Keypost handles orders that were paid from 1 December 2026 at 00:00 on"
    status, out, errors = run("start", "--from", "2026-12-01")

    assert (status, errors) == (0, "")
    assert out.startswith(f"{since}; every function uses this within a minute.")
    assert here.store.start() == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert run("start") == (0, f"{since}\n", "")
    assert (
        run("start", "--lang", "nl")[1]
        == "Keypost handelt bestellingen af die zijn betaald vanaf 1 december 2026 om 00:00\n"
    )
    assert run("start", "--json")[1] == '{"from": "2026-12-01T00:00:00+01:00"}\n'


def test_a_start_that_is_no_day_changes_nothing(run: Run, here: Stack) -> None:
    here.store.put_start(NOW)

    status, _, errors = run("start", "--from", "1-12-2026")

    assert (status, "1-12-2026" in errors) == (2, True)
    assert here.store.start() == NOW


@pytest.mark.parametrize(
    ("value", "why"),
    [("pk_test_public\n", "does not have the right form"), ("rk_live_secret\n", "is of mode `live`")],
)
def test_a_secret_of_the_wrong_kind_or_mode_is_not_set(
    run: Run, published: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch, value: str, why: str
) -> None:
    stack = published(None)
    monkeypatch.setattr("sys.stdin", io.StringIO(value))

    status, out, err = run("secrets", "set", "stripe_api_key", "--stack", stack.store.table)

    assert (status, out) == (1, "")
    assert why in err
    assert value.strip() not in err
    assert stored(stack) == {}
