from email.message import EmailMessage

import pytest

from cli.local.gallery import beside, in_scheme, inbox_line, preheader, without_pictures
from cli.local.samples import NAMES, sample_mail
from keypost.words import LANGUAGES
from tests.keypost.emails.reading import message_of, part

SHEET = "@media (prefers-color-scheme: dark) and (max-width: 620px) { .a { color: #fff } }"


def test_the_line_of_an_inbox_has_the_sender_and_what_a_phone_shows_of_subject_and_preheader() -> None:
    message = EmailMessage()
    message["From"] = "De Winkel <licenties@winkel.example>"
    message["Subject"] = "Uw activatiecode voor Kaspersky Standard en nog veel meer"

    line = inbox_line(message, f'<body><div style="display:none">{"a" * 95}</div>')

    assert (line.sender, line.subject_seen) == ("De Winkel", "Uw activatiecode voor Kaspersky Standard…")
    assert line.preheader_seen == "a" * 90 + "…"


@pytest.mark.parametrize(("length", "is_too_long"), [(60, False), (61, True)])
def test_a_subject_may_have_sixty_characters(length: int, *, is_too_long: bool) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "licenties@winkel.example", "s" * length

    line = inbox_line(message, "<body><p>Hallo</p>")

    assert (line.sender, line.is_too_long) == ("licenties@winkel.example", is_too_long)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            '<body class="page">\n<div style="display:none;max-height:0">R&amp;D: <b>de</b>\n code </div><p>x</p>',
            "R&D: de code",
        ),
        ('<body><div style="font-size:1px; display: none">Kort&nbsp;&zwnj;&#8199;\u034f</div>', "Kort"),
        ("<body><div>To be seen</div>", ""),
        ('<body><p>First</p><div style="display:none">too late</div>', ""),
        ("", ""),
    ],
)
def test_the_preheader_is_what_a_mail_hides_at_its_top(body: str, found: str) -> None:
    assert preheader(body) == found


@pytest.mark.parametrize(("name", "language"), [(name, language) for name in NAMES for language in LANGUAGES])
def test_every_mail_has_a_preheader(name: str, language: str) -> None:
    assert preheader(part(message_of(sample_mail(name, language)), "html"))


def test_a_mail_is_shown_in_either_color_scheme_whatever_this_browser_prefers() -> None:
    html = f'<meta name="color-scheme" content="light dark"><style>:root {{ color-scheme: light dark }}{SHEET}</style>'

    for scheme, asked in (("dark", "min-width: 0"), ("light", "max-width: 0")):
        assert in_scheme(html, scheme) == (
            f'<meta name="color-scheme" content="{scheme}"><style>:root {{ color-scheme: {scheme} }}'
            f"@media ({asked}) and (max-width: 620px) {{ .a {{ color: #fff }} }}</style>"
        )


def test_without_pictures_their_texts_stand_in_their_place() -> None:
    html = '<img alt="a > b" src="https://shop.example/a.png" width="40"><IMG src=\'data:image/png,x\'><a src="b">'

    assert without_pictures(html) == '<img alt="a > b" width="40"><IMG><a src="b">'


def test_one_turns_over_from_the_first_kind_to_the_last() -> None:
    assert beside(NAMES[0]) == (None, NAMES[1])
    assert beside(NAMES[1]) == (NAMES[0], NAMES[2])
    assert beside(NAMES[-1]) == (NAMES[-2], None)
