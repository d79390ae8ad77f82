import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from cli.local.mailbox import Mailbox, mailbox
from keypost.emails import compose
from tests.builders import NOW, PRODUCT, SHOP, SKU
from tests.keypost.emails.test_purchase import MAIL, licensed


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        raw = compose(licensed(1, name="<b>Anna</b>"), MAIL, {SKU: PRODUCT}, SHOP, NOW).as_bytes()
        request = {
            "Content": {"Raw": {"Data": base64.b64encode(raw).decode()}},
            "Destination": {"ToAddresses": ["facturen@klant.example"]},
            "EmailTags": [{"Name": "order", "Value": "2026-001234"}],
        }
        box.keep(request, "ses-1")
        yield box


def get(box: Mailbox, path: str) -> tuple[int, str, str]:
    """Status, policy and body."""
    try:
        with urllib.request.urlopen(box.url + path) as answer:
            return answer.status, answer.headers["Content-Security-Policy"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", error.read().decode()


def test_the_page_lists_every_mail_and_looks_again_by_itself(box: Mailbox) -> None:
    status, _, page = get(box, "/")

    assert status == 200
    assert 'href="/mails/1"' in page
    assert "Uw activatiecode voor Kaspersky Standard" in page
    assert 'http-equiv="refresh"' in page


def test_a_mail_is_shown_as_html_in_a_sandbox_as_text_and_with_its_headers(box: Mailbox) -> None:
    _, _, page = get(box, "/mails/1")

    assert '<iframe sandbox="allow-popups" src="/mails/1/html"' in page
    assert "Beste &lt;b&gt;Anna&lt;/b&gt;," in page
    assert ">Reply-To<" in page
    assert "SES tag order" in page


def test_a_mail_can_run_and_load_nothing(box: Mailbox) -> None:
    status, policy, html = get(box, "/mails/1/html")

    assert status == 200
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"
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
