"""The page for support agents and its files. It contains no data; it gets what it shows from the support API, with the
agent's key."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cache
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keypost.core.languages import DEFAULT
from keypost.core.said import said
from keypost.inputs import gateway
from keypost.words import FALLBACK, TABLES, of_folder, reader, sentence, texts_of

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: path for path in Path(__file__).parent.iterdir() if path.suffix in _TYPES}
_PAGE = "page.html"
_WORDS = "said.js"  # made from the tables, so that the page has the very words of the API
_TEXTS = "texts.js"  # of all languages
_TEXTS_OF = {f"texts-{language}.js": language for language in TABLES}
_ISSUER = "issuer.js"  # made from the settings
# What answers hold as a word.
_OF_PAGE = (
    "standing_",
    "kind_",
    "purpose_",
    "state_",
    "fate_",
    "who_",
    "provider_",
    "reason_",
    "because_",
    "scope_",
)
_OF_PAGE_TOO = ("already_used", "wrong_region", "invalid")  # what is wrong with a code
_OF_GATEWAY = ("key_refused", "network_refused", "too_large", "too_many_calls", "took_too_long", "went_wrong")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{token}; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked for again each time: its files always fit each other
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def answer(request: gateway.Request, sign_in: Callable[[], Mapping[str, str]]) -> dict[str, Any]:
    """The page, or one of its files; a browser that has it already is told so. `sign_in` finds where agents sign in,
    which is empty if they use keys."""
    name = request.parameters.get("file", _PAGE)
    if name not in {*_FILES, *_TEXTS_OF, _WORDS, _TEXTS, _ISSUER}:
        return gateway.problem(HTTPStatus.NOT_FOUND, sentence(said("no_such_route"), reader(FALLBACK, UTC)))
    issuer = sign_in() if name in (_PAGE, _ISSUER) else {}
    content = f"export const ISSUER = {json.dumps(dict(issuer) or None)};\n" if name == _ISSUER else _content(name)
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    headers = {
        **_HEADERS,
        "Content-Security-Policy": _POLICY.format(token=_origin(issuer.get("token", ""))),
        "ETag": tag,
        "Content-Type": f"{_TYPES[Path(name).suffix]}; charset=utf-8",
    }
    if tag in request.headers.get("if-none-match", ""):
        return {"statusCode": HTTPStatus.NOT_MODIFIED.value, "headers": headers, "body": ""}
    return {"statusCode": HTTPStatus.OK.value, "headers": headers, "body": content}


def _origin(url: str) -> str:
    """Where a URL leads, as a policy names it."""
    parts = urlsplit(url)
    return f" {parts.scheme}://{parts.netloc}" if url else ""


@cache
def _content(name: str) -> str:
    if name in _TEXTS_OF:
        return of_folder(_TEXTS_OF[name], "support_page.js") or "export default {};\n"
    made = {_PAGE: _page, _WORDS: _words, _TEXTS: _texts}
    return made[name]() if name in made else _FILES[name].read_text("utf-8")


def _page() -> str:
    """The page as it opens, with a button for each language."""
    page = _FILES[_PAGE].read_text("utf-8")
    return page.replace("{{language}}", FALLBACK).replace("{{languages}}", "\n".join(map(_button, TABLES)))


def _button(language: str) -> str:
    name = f'<span class="unseen">{escape(TABLES[language].NAME)}</span>'
    sign = f'<span aria-hidden="true">{language.upper()}</span>'
    return f'<button type="button" lang="{language}" data-language="{language}">{sign}{name}</button>'


def _texts() -> str:
    """The page's own words, per language; where one is missing it is that of the fallback."""
    imports = "".join(f'import {language} from "./texts-{language}.js";\n' for language in TABLES)
    texts = ", ".join(f"{language}: {{ ...{FALLBACK}, ...{language} }}" for language in TABLES)
    locales = json.dumps({language: table.LOCALE for language, table in TABLES.items()})
    return (
        f"{imports}export const TEXTS = {{ {texts} }};\nexport const LOCALES = {locales};\n"
        f"export const FALLBACK = {FALLBACK!r}, DEFAULT = {DEFAULT!r};\n"
    )


def _words() -> str:
    """Per language, what stands for the words in an answer, and what API Gateway answers by itself."""
    named = (*_OF_PAGE_TOO, *_OF_GATEWAY)
    found = {
        language: {
            code: text for code, text in texts_of(language).items() if code.startswith(_OF_PAGE) or code in named
        }
        for language in TABLES
    }
    return f"export const SAID = {json.dumps(found, ensure_ascii=False, indent=1)};\n"
