import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import html5lib
import pytest
import urllib3
from markupsafe import escape

from cli.local.deploy import ROOT
from cli.local.fake_providers import FakeProviders
from cli.local.gallery import VIEWS, inbox_line, preheader, titles
from cli.local.mailbox import Mailbox, SesFault, mailbox, sample
from cli.local.samples import NAMES, sample_products
from cli.local.ses_events import FATES
from cli.local.shop import Shop
from keypost.core.mail import Fate
from keypost.emails import compose
from keypost.use_cases import take_mail_event
from keypost.words import LANGUAGES
from tests.builders import NOW, PRODUCT, PURCHASE_MAIL, SHOP, SKU, bought


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        raw = compose(bought(1, name="<b>Anna</b>"), PURCHASE_MAIL, {SKU: PRODUCT}, SHOP, NOW).as_bytes()
        request = {
            "Content": {"Raw": {"Data": base64.b64encode(raw).decode()}},
            "Destination": {"ToAddresses": ["facturen@klant.example"]},
            "EmailTags": [{"Name": "order", "Value": "2026-001234"}],
        }
        box.keep(request, "ses-1")
        yield box


def get(box: Mailbox, path: str) -> tuple[int, str, str]:
    """GET a page of the mailbox; returns status, policy and body."""
    try:
        with urllib.request.urlopen(box.url + path) as answer:
            return answer.status, answer.headers["Content-Security-Policy"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", error.read().decode()


def test_a_call_that_ses_refuses_is_told_that_its_connection_ends(box: Mailbox) -> None:
    """Else the next call may go into the closed connection, as the test of the daily note found now and then."""

    def refuse() -> None:
        raise SesFault(429, "TooManyRequestsException")

    box.before_send = refuse
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", f"{box.url}/v2/email/outbound-emails", body=b"{}", retries=False)

    assert (answer.status, answer.headers.get("Connection")) == (429, "close")


def test_the_list_shows_every_mail_and_looks_again_by_itself(box: Mailbox) -> None:
    status, _, page = get(box, "/list")

    assert status == 200
    assert 'href="/mails/1" target="_top"' in page
    assert "Uw activatiecode voor Kaspersky Standard" in page
    assert 'http-equiv="refresh"' in page
    assert 'aria-current="page"' in get(box, "/list?mail=1")[2]


@pytest.mark.parametrize(("path", "shown"), [("/", "/list"), ("/mails/1", "/list?mail=1")])
def test_the_page_around_the_list_stays_as_it_is_so_that_one_can_type(box: Mailbox, path: str, shown: str) -> None:
    status, policy, page = get(box, path)

    assert status == 200
    assert f'<iframe src="{shown}"' in page
    assert "refresh" not in page
    assert "<script" not in page
    assert policy.startswith("default-src 'none'; ")
    assert "form-action 'self'" in policy


def test_a_mail_is_shown_as_html_in_a_sandbox_as_text_and_with_its_headers(box: Mailbox) -> None:
    _, _, page = get(box, "/mails/1")

    assert '<iframe sandbox="allow-popups" src="/mails/1/html"' in page
    assert "Beste &lt;b&gt;Anna&lt;/b&gt;," in page
    assert ">Reply-To<" in page
    assert "SES tag order" in page


def test_a_mail_can_run_nothing_and_load_nothing_but_pictures(box: Mailbox) -> None:
    status, policy, html = get(box, "/mails/1/html")

    assert status == 200
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; sandbox allow-popups"
    assert html.startswith("<!doctype html>")


def test_the_text_and_the_very_bytes_can_be_had(box: Mailbox) -> None:
    assert get(box, "/mails/1/text")[2] == box.mails[0].text
    assert get(box, "/mails/1/eml")[2].encode() == box.mails[0].raw


def test_a_program_reads_the_mails_as_json(box: Mailbox) -> None:
    (mail,) = json.loads(get(box, "/mails.json")[2])

    assert mail["to"] == ["facturen@klant.example"]
    assert mail["tags"] == {"order": "2026-001234"}
    assert mail["text"] == box.mails[0].text


@pytest.mark.parametrize("path", ["/mails/2", "/mails/1/pdf", "/mails/", "/etc/passwd", "/mails/../../x"])
def test_what_is_not_there_is_404(box: Mailbox, path: str) -> None:
    assert get(box, path)[0] == 404


BOUGHT = {
    "order_id": "2026-001001",
    "provider": "stripe",
    "sku": SKU,
    "quantity": "1",
    "email": "klant@klant.example",
    "language": "nl",
}


NOWHERE = (lambda _: (200, ""), lambda *_: (204, ""), lambda _: (200, ""), lambda _: (200, ""))


@pytest.fixture
def own(box: Mailbox) -> Shop:
    """A shop behind the page, whose callbacks are sent nowhere."""
    box.shop = Shop(FakeProviders(), sample_products(), *NOWHERE)
    return box.shop


def post(box: Mailbox, path: str, given: Any, **headers: str) -> tuple[int, str, str]:
    """POST to the mailbox; returns status, Location and body. A text is sent as a form, anything else as JSON."""
    is_form = isinstance(given, str)
    kind = {"Content-Type": "application/x-www-form-urlencoded" if is_form else "application/json"}
    body = given if is_form else json.dumps(given)
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", box.url + path, body=body, headers=kind | headers, redirect=False)
        return answer.status, answer.headers.get("Location", ""), answer.data.decode()


def buttons(page: str) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]*)</button>", page)


PAY = ["Pay", "Pay, with an item added at checkout"]
ELSE = ["Exchange", "Pays under this number", "Pay the same again"]


def test_an_order_shows_what_keypost_makes_of_it_and_where_to_see_more(box: Mailbox, own: Shop) -> None:
    own.became, own.support_url = lambda order_id: f"{order_id} waits: <b>", "http://127.0.0.1:1/support"
    post(box, "/shop/pay", urlencode(BOUGHT))

    page = get(box, "/")[2]

    assert "2026-001001 waits: &lt;b&gt;." in page
    assert '<a href="http://127.0.0.1:1/support">Support page</a>' in page


@pytest.mark.parametrize(
    ("provider", "offered"),
    [
        ("stripe", ["Refund", "Dispute", *ELSE]),
        ("shop", ["Refund", "Dispute", "Change the order", *ELSE]),
        ("woocommerce", ["Refund", "Change the order"]),
    ],
)
def test_each_way_to_pay_offers_what_can_happen_there(
    box: Mailbox, own: Shop, provider: str, offered: list[str]
) -> None:
    post(box, "/shop/pay", urlencode(BOUGHT | {"provider": provider, "order_id": "1001"}))

    assert buttons(get(box, "/")[2]) == [*PAY, "Look again", *offered]


def test_a_refund_is_deleted_with_a_button(box: Mailbox, own: Shop) -> None:
    post(box, "/shop/pay", urlencode(BOUGHT | {"provider": "woocommerce", "order_id": "1001"}))
    post(box, "/shop/refund", "order_id=1001&amount=10.00")
    assert "Delete the last refund" in buttons(get(box, "/")[2])

    assert post(box, "/shop/delete-refund", "order_id=1001")[:2] == (303, "/#shop")

    assert own.orders["1001"].state == "paid"
    assert "Delete the last refund" not in buttons(get(box, "/")[2])


def test_without_a_stack_there_is_no_shop(box: Mailbox) -> None:
    assert 'id="shop"' not in get(box, "/")[2]
    assert post(box, "/shop/pay", BOUGHT)[0] == 403


def test_a_form_leads_back_to_the_page_which_shows_the_order_and_what_can_be_done_with_it(
    box: Mailbox, own: Shop
) -> None:
    assert buttons(get(box, "/")[2]) == PAY

    assert post(box, "/shop/pay", urlencode(BOUGHT))[:2] == (303, "/#shop")
    page = get(box, "/")[2]
    assert ">2026-001001</strong>" in page
    assert buttons(page) == [*PAY, "Look again", "Refund", "Dispute", *ELSE]
    assert f'value="{own.next_order_id}"' in page

    assert post(box, "/shop/dispute", "order_id=2026-001001")[:2] == (303, "/#shop")
    assert buttons(get(box, "/")[2]) == [*PAY, "Look again", "Dispute won", "Dispute lost"]

    post(box, "/shop/close-dispute", "order_id=2026-001001&won=true")
    assert buttons(get(box, "/")[2]) == [*PAY, "Look again", "Refund", *ELSE]

    post(box, "/shop/refund", "order_id=2026-001001&amount=39.95")
    assert buttons(get(box, "/")[2]) == [*PAY, "Look again"]


def test_a_program_gets_what_keypost_answered(box: Mailbox, own: Shop) -> None:
    status, _, body = post(box, "/shop/pay", BOUGHT)

    assert status == 200
    assert json.loads(body) == {"answered": 200, "said": "", "order_id": "2026-001001", "state": "paid"}


@pytest.mark.parametrize(
    ("path", "given", "status", "advice"),
    [
        ("/shop/pay", BOUGHT | {"sku": "ESET"}, 400, "choose one of"),
        ("/shop/pay", BOUGHT | {"order_id": "<b>"}, 400, "choose another one"),
        ("/shop/pay", [], 400, "neither a form nor a JSON object"),
        ("/shop/refund", {"order_id": "8"}, 404, "pay it first"),
        ("/shop/steal", BOUGHT, 404, "use one of pay, pay-with-added, "),
    ],
)
def test_what_the_shop_refuses_is_said_in_a_sentence_to_programs_and_on_the_page(
    box: Mailbox, own: Shop, path: str, given: Any, status: int, advice: str
) -> None:
    answered, _, body = post(box, path, given)
    assert (answered, advice in json.loads(body)["detail"]) == (status, True)

    answered, _, page = post(box, path, urlencode(given) or "nothing")
    assert (answered, advice in page, 'role="alert"' in page) == (status, True, True)
    assert "<b>" not in page
    assert own.orders == {}


def test_a_form_that_was_refused_keeps_what_was_typed(box: Mailbox, own: Shop) -> None:
    typed = BOUGHT | {"email": "anna", "quantity": "7", "language": "en"}

    page = post(box, "/shop/pay", urlencode(typed))[2]

    assert 'value="anna"' in page
    assert 'value="7"' in page
    assert '<option value="en" selected>' in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://shop.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://rebound.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_buy_here(box: Mailbox, own: Shop, headers: dict[str, str]) -> None:
    assert post(box, "/shop/pay", urlencode(BOUGHT), **headers)[0] == 403
    assert own.orders == {}


def test_its_own_page_can(box: Mailbox, own: Shop) -> None:
    assert post(box, "/shop/pay", urlencode(BOUGHT), Origin=box.url, **{"Sec-Fetch-Site": "same-origin"})[0] == 303


def test_an_answer_of_keypost_that_was_no_success_is_shown(box: Mailbox, own: Shop) -> None:
    own.stripe_calls = lambda _: (503, "")
    post(box, "/shop/pay", urlencode(BOUGHT))

    assert "Keypost answered 503" in get(box, "/")[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_gallery_names_every_kind_in_a_sentence_and_shows_its_line_of_the_inbox(
    box: Mailbox, language: str
) -> None:
    status, _, page = get(box, f"/gallery/{language}")
    known = titles(language)

    assert status == 200
    assert list(known) == list(NAMES)
    for name, title in known.items():
        line = inbox_line(*_message_of(name, language))
        assert f'<a href="/gallery/{language}/{name}">{escape(title)}</a>' in page
        assert title != name
        assert f"<b>{escape(line.sender)}</b> {escape(line.subject_seen)} " in page
        assert f'<span class="quiet">{escape(line.preheader_seen)}</span>' in page
    for other in LANGUAGES:
        assert f'href="/gallery/{other}"' in page


def _message_of(name: str, language: str) -> tuple[EmailMessage, str]:
    mail = sample(name, language)
    return mail.message, mail.html


def test_without_a_language_the_gallery_is_in_the_first_one(box: Mailbox) -> None:
    assert get(box, "/gallery")[2] == get(box, f"/gallery/{LANGUAGES[0]}")[2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_mail_of_the_gallery_has_a_page_with_what_the_customer_sees_of_it_in_each_form(
    box: Mailbox, name: str, language: str
) -> None:
    mail = sample(name, language)

    status, policy, page = get(box, f"/gallery/{language}/{name}")

    assert (status, "frame-src 'self'" in policy, "<script" in page) == (200, True, False)
    shown = {
        str(mail.message[header]) for header in ("From", "To", "Reply-To", "List-Unsubscribe") if mail.message[header]
    }
    for told in (*shown, mail.subject.strip(), preheader(mail.html), mail.text.strip().splitlines()[0]):
        assert escape(told) in page
    assert f"({len(mail.subject.strip())} characters" in page
    assert ("does not have all words of this mail yet" in page) == (mail.message["Content-Language"] != language)
    assert re.findall(r'src="([^"]*)" width="(\d+)"', page) == [
        (f"/gallery/{language}/{name}/{view}", width) for view, widths in FRAMES.items() for width in widths
    ]


FRAMES = {"light": ["375", "700"], "dark": ["375", "700"], "outlook": ["700"], "no-pictures": ["375", "700"]}


@pytest.mark.parametrize(
    "path", ["/", "/list", "/mails/1", "/mails/1/forms", "/gallery", "/gallery/en/purchase", "/gallery/nl/daily_note"]
)
def test_every_page_of_this_machine_is_valid_html(box: Mailbox, own: Shop, path: str) -> None:
    own.support_url, own.guide_url, own.resend_url = "http://a.example", "http://b.example", "http://c.example"
    parser = html5lib.HTMLParser()

    parser.parse(get(box, path)[2])

    assert parser.errors == []


@pytest.mark.parametrize("path", ["/", "/mails/1", "/mails/1/forms", "/gallery", "/gallery/en/purchase"])
def test_the_pages_of_this_machine_link_to_each_other_and_to_those_of_the_stack(
    box: Mailbox, own: Shop, path: str
) -> None:
    own.support_url, own.guide_url, own.resend_url = "http://a.example", "http://b.example", "http://c.example"
    top = get(box, path)[2].partition("<header")[2].partition("</header>")[0]

    assert re.findall(r'href="([^"]*)"', top) == [
        *("/", "/gallery", "/#shop"),
        *("http://a.example", "http://b.example", "http://c.example"),
    ]


def test_the_pages_that_are_deployed_know_nothing_of_those_of_this_machine() -> None:
    local = re.compile(r"/gallery\b|#shop\b|/mails/|127\.0\.0\.1|localhost")

    def found(folder: Path) -> set[str]:
        pages = [path for path in folder.iterdir() if path.suffix in {".html", ".css", ".js"}]
        assert pages
        return {path.name for path in pages if local.search(path.read_text("utf-8"))}

    assert "gallery.html" in found(ROOT / "cli/local/templates")
    for name in ("support_page", "resend_page", "guide_page", "proof_page"):
        assert found(ROOT / "layers/keypost/keypost" / name) == set()


def test_a_mail_that_was_sent_is_shown_in_each_form_too(box: Mailbox) -> None:
    assert 'href="/mails/1/forms"' in get(box, "/mails/1")[2]

    status, _, page = get(box, "/mails/1/forms")

    assert status == 200
    assert 'src="/mails/1/outlook" width="700"' in page
    assert "display:inline-block" not in get(box, "/mails/1/outlook")[2]


@pytest.mark.parametrize("view", VIEWS)
def test_a_mail_can_do_no_more_in_any_form(box: Mailbox, view: str) -> None:
    assert get(box, f"/gallery/nl/purchase/{view}")[:2] == get(box, "/mails/1/html")[:2]


@pytest.mark.parametrize(("part", "words"), [("html", "<h1"), ("text", "Beste Anna"), ("eml", "MIME-Version: 1.0")])
def test_a_mail_of_the_gallery_is_shown_as_one_that_was_sent(box: Mailbox, part: str, words: str) -> None:
    status, policy, content = get(box, f"/gallery/nl/waiting/{part}")

    assert (status, words in content) == (200, True)
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    "path", ["/gallery/nl/nothing", "/gallery/xx/purchase", "/gallery/xx", "/gallery/nl/purchase/x", "/mails/1/x"]
)
def test_what_the_gallery_does_not_have_is_not_found(box: Mailbox, path: str) -> None:
    assert get(box, path)[0] == 404


def test_moments_are_those_of_the_shop(box: Mailbox) -> None:
    box.mails[0] = replace(box.mails[0], at=datetime(2026, 7, 31, 22, 30, 5, tzinfo=UTC))

    assert "· 00:30:05<" in get(box, "/list")[2]
    assert "2026-08-01 00:30:05, Europe/Amsterdam time" in get(box, "/mails/1")[2]


def test_a_visitor_decides_what_became_of_a_mail(box: Mailbox) -> None:
    told: list[str] = []
    box.tell = told.append
    assert 'name="fate" value="bounced"' in get(box, "/mails/1")[2]

    status, _ = post_fate(box, "bounced")

    assert status == 303
    report = take_mail_event.read(json.loads(told[0]))
    assert report is not None
    assert (report.order_id, report.fate) == ("2026-001234", Fate.BOUNCED)
    assert (report.address, report.message_id) == ("facturen@klant.example", "ses-1")
    assert box.suppressed == {"facturen@klant.example": "BOUNCE"}


@pytest.mark.parametrize("fate", FATES)
def test_every_button_tells_something_that_is_understood(box: Mailbox, fate: str) -> None:
    told: list[str] = []
    box.tell = told.append

    post_fate(box, fate)

    assert take_mail_event.read(json.loads(told[0])) is not None


def test_without_a_stack_there_are_no_such_buttons(box: Mailbox) -> None:
    assert 'name="fate"' not in get(box, "/mails/1")[2]
    assert post_fate(box, "bounced")[0] == 400


def test_what_no_mail_becomes_is_refused_and_so_is_another_sites_page(box: Mailbox) -> None:
    box.tell = pytest.fail

    status, page = post_fate(box, "eaten")
    assert (status, "the fate of a mail is one of: delivered" in page) == (400, True)
    assert post_fate(box, "bounced", Origin="https://evil.example")[0] == 403
    assert post_fate(box, "bounced", path="/mails/7/fate")[0] == 403


def post_fate(box: Mailbox, fate: str, path: str = "/mails/1/fate", **headers: str) -> tuple[int, str]:
    form = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    body = urlencode({"fate": fate})
    answer = urllib3.request("POST", box.url + path, body=body, headers=form, redirect=False)
    return answer.status, answer.data.decode()
