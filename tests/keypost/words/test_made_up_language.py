"""A language is a folder and an entry: with these two, and nothing else changed, everything speaks it."""

import json
from pathlib import Path
from typing import Any

from tests.language_kit import MARK, add_language, python

# What a copy of Keypost says in the language `xx`, by where it says it.
SAYS = """
import json
from contextlib import redirect_stdout
from datetime import UTC
from io import StringIO
from click.testing import CliRunner
from cli import languages
from cli.main import cli
from cli.local.samples import DAILY_NOTE, sample_mail, sample_products
from cli.speech import Speech, of_locale
from keypost import guide_page, reminders_page, resend_page, support_page
from keypost.api.customer import RightCustomer
from keypost.core.said import said
from keypost.inputs import gateway
from keypost.words import accepted, reader, sentence, spoken

def file(name):
    request = gateway.Request("GET", {"file": name}, {}, {}, b"", "")
    return support_page.answer(request, dict)["body"]

def line(text, word):
    return next(line for line in text.splitlines() if word in line)

def shown(*words):
    return CliRunner().invoke(cli, [*words, "--help"], obj=Speech(of_locale({"LANG": "xx_YY.UTF-8"}))).output

with redirect_stdout(StringIO()) as check:
    status = languages.main()

print(json.dumps({
    "check": [status, *check.getvalue().splitlines()],
    "understood": [spoken("xx-YY"), spoken("XX"), accepted("xx-YY, en;q=0.5")],
    "sentence": sentence(said("unpaid"), reader("xx", UTC)),
    "note": sample_mail(DAILY_NOTE, "xx").get_body(("plain",)).get_content().splitlines()[0],
    "resend": resend_page.said("xx", "told", "help@shop.example"),
    "resend links": resend_page.render("nl", "told", "", "Shop", "help@shop.example"),
    "reminders": reminders_page.WORDS["xx"]["buttons"]["stop"],
    "guide": guide_page.pages.writing("xx")("overview_title"),
    "page": "".join(file("texts-xx.js").splitlines()[2:3]).strip(),
    "page knows": line(file("texts.js"), "TEXTS"),
    "page button": line(file("page.html"), 'data-language="xx"'),
    "page says": json.loads(file("said.js").partition("= ")[2].rstrip(";\\n"))["xx"]["standing_paid"],
    "api": RightCustomer(language="xx", reason="asked").language,
    "help": shown("due").splitlines()[2].strip(),
}))
"""


def says(root: Path) -> dict[str, Any]:
    answer = python(root, "-c", SAYS)
    assert answer.stderr == ""
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_a_folder_and_an_entry_make_everything_speak_it(tmp_path: Path) -> None:
    add_language(tmp_path)
    found = says(tmp_path)
    status, *check = found.pop("check")

    assert found.pop("understood") == ["xx", "xx", "xx"]
    assert found.pop("api") == "xx"
    assert f'<a href="?lang=xx" lang="xx" hreflang="xx">{MARK}English</a>' in found.pop("resend links")
    assert found.pop("page button").endswith(f'<span class="unseen">{MARK}English</span></button>')
    assert "xx: { ...en, ...xx }" in found.pop("page knows")
    assert found.pop("page").startswith(f'skip: "{MARK}')
    assert {place: text for place, text in found.items() if not text.startswith(MARK)} == {}
    assert len(found) == 7
    assert status == 0
    missing = check[check.index(next(line for line in check if line.startswith(f"{MARK}English: missing"))) + 1 :]
    assert missing
    assert {line.partition(":")[0].strip() for line in missing} == {"command_line.toml"}  # the words of click


def test_what_a_language_lacks_is_said_in_english_and_what_is_wrong_fails_make_check(tmp_path: Path) -> None:
    add_language(tmp_path, files=())
    sentences = tmp_path / "keypost" / "words" / "xx" / "sentences.py"
    sentences.write_text(
        'TEXTS = {"unpaid": "Xx", "renewed": "Xx {number}", "found": "Xx {order:day}", "new": "Xx"}\n', "utf-8"
    )
    found = says(tmp_path)
    status, *check = found["check"]

    assert found["sentence"] == "Xx"
    assert found["note"] == "This needs your attention today."
    assert found["reminders"] == "Stop the reminders"
    assert found["guide"] == "How to install and activate your software"
    assert found["page"] == ""
    assert found["page says"] == "paid"
    assert found["help"].startswith("List what Keypost will send")
    assert status == 1
    assert {"  sentences: paid_twice", "  guide.toml: overview_title"} < set(check)
    assert "  sentences: unpaid" not in check
    assert [line for line in check if line.startswith("  wrong:")] == [
        "  wrong: sentences: found",
        "  wrong: sentences: new",
        "  wrong: sentences: renewed",
    ]
