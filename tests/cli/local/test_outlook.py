import re

import pytest

from cli.local.outlook import in_outlook, style_in_outlook
from cli.local.samples import NAMES, SAMPLES, sample_mail
from keypost.words import LANGUAGES
from tests.keypost.emails.reading import document, message_of, part, seen

BUTTON = "display:inline-block;padding:13px 24px;border-radius:6px;background-color:#0b6e5b;color:#fff"


@pytest.mark.parametrize(
    ("element", "kept"),
    [
        ("a", "background-color:#0b6e5b;color:#fff"),
        ("code", "background-color:#0b6e5b;color:#fff"),
        ("div", "background-color:#0b6e5b;color:#fff"),
        ("td", "padding:13px 24px;background-color:#0b6e5b;color:#fff"),
    ],
)
def test_a_button_keeps_its_room_only_where_it_stands_in_a_cell(element: str, kept: str) -> None:
    assert style_in_outlook(element, BUTTON) == kept


@pytest.mark.parametrize(
    ("element", "style", "kept"),
    [
        ("p", "margin:0 0 14px 0", "margin:0 0 14px 0"),
        ("a", "margin:0 0 14px 0", ""),
        ("table", "margin:0 auto; width: 600px; max-width:100%", "width:600px"),
        ("p", "margin-top:-4px;width:50%;border:1px solid red;line-height:24px", "line-height:24px"),
        ("td", "border:1px solid red;border-bottom-width:2px", "border:1px solid red;border-bottom-width:2px"),
        ("td", "BACKGROUND:url(https://shop.example/a.png);background-image:linear-gradient(red, blue)", ""),
        ("td", "background:rgb(1,2,3)", "background:rgb(1,2,3)"),
        ("div", "display:none;max-height:0;overflow:hidden;mso-hide:all", "display:none;display:none"),
        ("span", "mso-hide:all", "display:none"),
        ("img", "display:none;width:40px", ""),
        ("td", "display:flex;word-break:break-word;", ""),
        ("td", ";;color", ""),
    ],
)
def test_word_knows_few_properties_and_some_only_on_some_elements(element: str, style: str, kept: str) -> None:
    assert style_in_outlook(element, style) == kept


def test_what_is_not_style_stays_as_it_is() -> None:
    html = '<!doctype html>\n<p title="a &quot;b&quot;">R&amp;D &#8364; <br><input disabled></p>'

    assert in_outlook(html) == html


def test_style_sheets_go_and_with_them_the_dark_scheme() -> None:
    html = "<head><style>\n@media (prefers-color-scheme: dark) { p { color: #fff } }\n</style><title>a</title></head>"

    assert in_outlook(html) == "<head><title>a</title></head>"


def test_comments_for_outlook_are_read_and_those_for_all_others_are_not() -> None:
    html = (
        "a<!--[if mso]><b style='padding:1px'>word</b><![endif]-->"
        "<!--[if gte mso 9]>9<![endif]--><!--[if !mso]><!-->others<!--<![endif]-->"
        "<!--[if !mso]> -->more<!-- <![endif]--><!-- a remark -->z"
    )

    assert in_outlook(html) == 'a<b style="">word</b>9z'


def around(html: str, text: str) -> dict[str, str]:
    """How the innermost cell around a text looks."""
    cells = [cell for cell in document(html).iter("td") if text in "".join(cell.itertext())]
    pairs = (each.split(":", 1) for each in cells[-1].get("style", "").split(";") if each)
    return {name.strip(): value.strip() for name, value in pairs}


def buttons(html: str) -> list[str]:
    """The texts of the links that look like buttons: not underlined."""
    return ["".join(a.itertext()) for a in document(html).iter("a") if "text-decoration:none" in a.get("style", "")]


def codes_of(name: str) -> list[str]:
    sample = SAMPLES[name]
    return [each.code for each in sample.order.licenses if each.id in sample.order.licenses_of([sample.mail])]


BOXED = [name for name, sample in SAMPLES.items() if sample.mail.holds_codes and name != "purchase-many"]


@pytest.mark.parametrize(("name", "language"), [(name, language) for name in BOXED for language in LANGUAGES])
def test_a_code_has_its_box_and_a_button_its_room_in_outlook_as_everywhere_but_for_round_corners(
    name: str, language: str
) -> None:
    html = part(message_of(sample_mail(name, language)), "html")
    texts = [*codes_of(name), *buttons(html)]
    shown = {text: around(in_outlook(html), text) for text in texts}

    assert codes_of(name)
    assert {text: look | {"border-radius": "6px"} for text, look in shown.items()} == {
        text: around(html, text) for text in texts
    }
    assert all({"padding", "background-color"} <= look.keys() for look in shown.values())
    assert all({"border", "text-align"} <= shown[code].keys() for code in codes_of(name))


def test_a_box_on_what_stands_in_a_line_is_lost_in_outlook() -> None:
    code = '<code style="display:block;padding:12px;border:1px solid">ABCDE</code>'
    html = (
        f"<!doctype html><html><head><title>a</title></head><body><table><tr><td>{code}</td></tr></table></body></html>"
    )

    assert around(in_outlook(html), "ABCDE") == {}
    assert '<code style="">' in in_outlook(html)


@pytest.mark.parametrize(("name", "language"), [(name, language) for name in NAMES for language in LANGUAGES])
def test_of_a_mail_every_word_and_link_is_left_and_the_page_is_valid(name: str, language: str) -> None:
    html = part(message_of(sample_mail(name, language)), "html")
    links = re.compile(r'href="[^"]*"')

    shown = in_outlook(html)

    assert [each.get("style") for each in document(shown).iter() if "radius" in each.get("style", "")] == []
    assert "border-radius" in html
    assert links.findall(shown) == links.findall(html)
    assert seen(shown) == seen(html.replace(html.partition("<style>")[2].partition("</style>")[0], ""))
