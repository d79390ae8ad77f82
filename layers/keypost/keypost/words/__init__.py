"""What people read: the sentence for what is said as a code with values, from one table per language. Days, moments and
amounts are written as the language writes them, moments in the shop's zone, products by their names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, tzinfo
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, TypeVar

from keypost.core.frozen import dataclass
from keypost.core.languages import language_of
from keypost.core.said import Said
from keypost.words import de, en, nl

if TYPE_CHECKING:
    from keypost.core.product import Product

T = TypeVar("T")

TABLES = {"nl": nl, "en": en, "de": de}  # a further language is a folder beside these, and an entry here
LANGUAGES = tuple(TABLES)
FALLBACK = "en"
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")  # a part that is left out where one of its values is not known
_MARK = "*"  # around what is said with emphasis
_RANGE = re.compile(r"\s*([a-z]{2})\b[^;]*(?:;\s*q=([01](?:\.\d{0,3})?))?", re.IGNORECASE)
_BETWEEN = {"list": ", ", "goods": "; "}
_GOODS = re.compile(r"([0-9]+) x ([^\s,;]+)")
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom sentences are made."""

    language: str
    zone: tzinfo
    names: Mapping[str, str]  # of products, by SKU


def reader(language: str, zone: tzinfo, names: Mapping[str, str] | None = None) -> Reader:
    return Reader(spoken(language), zone, names or {})


def of_folder(language: str, name: str) -> str:
    """A file of a language, such as the words of a page; empty where the language has none."""
    path = Path(__file__).parent / language / name
    return path.read_text("utf-8") if path.exists() else ""


def page_words(language: str, name: str) -> dict[str, Any]:
    """The words of a page, which stand in a file of the language; where one is missing it is that of the fallback."""
    import tomllib  # noqa: PLC0415 - only pages have such files

    own, other = (tomllib.loads(of_folder(each, name)) for each in (language, FALLBACK))
    return _over(other, own)


def _over(others: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    parts = {name: _over(part, own[name]) for name, part in others.items() if isinstance(part, dict) and name in own}
    return others | own | parts


def texts_of(language: str) -> dict[str, str]:
    """The sentences of a language by their codes, and those of the fallback where it has none."""
    texts: dict[str, str] = TABLES[FALLBACK].TEXTS | TABLES[language].TEXTS
    return texts


def spoken(tag: str) -> str:
    """The language to write in to somebody who asked for this one, as in de, de-AT or DE."""
    found = language_of(tag)
    return found if found in TABLES else FALLBACK


def accepted(header: str) -> str:
    """The language that an `Accept-Language` header likes best of those that are written here; of equals the first."""
    ranges = filter(None, map(_RANGE.match, header.lower().split(",")))
    weights = {found[1]: float(found[2] or 1) for found in reversed(list(ranges))}  # the first of a name counts
    known = [name for name in reversed(weights) if name in TABLES and weights[name]]
    return max(known, key=weights.__getitem__, default=FALLBACK)


def in_language(texts: Mapping[str, T], language: str) -> T:
    """The text in a language; where it is missing that in the fallback, and where that is missing too the first one."""
    return texts[found_in(texts, language)]


def found_in(texts: Mapping[str, object], language: str) -> str:
    """The language of the text that `in_language` gives."""
    return next(name for name in (language, FALLBACK, *texts) if name in texts)


def names_of(products: "Iterable[Product]", language: str) -> dict[str, str]:
    """What products are called, by SKU."""
    return {product.sku: in_language(product.name, language) for product in products}


def sentence(what: Said, to: Reader) -> str:
    """The sentence for a code with values, all of it in the fallback where the language has none. A code that no table
    knows is its own sentence."""
    if what.code not in TABLES[to.language].TEXTS:
        to = replace(to, language=FALLBACK)
    text = TABLES[to.language].TEXTS.get(what.code)
    return what.code if text is None else _Words(to).of(text, what.values)


def worded(value: T, to: Reader) -> T:
    """The value with the sentence in every place where something is said."""
    return _worded(value, to)  # type: ignore[no-any-return]


def _worded(value: Any, to: Reader) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_worded(each, to) for each in value)
    if isinstance(value, dict):
        return {name: _worded(each, to) for name, each in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {each.name: _worded(getattr(value, each.name), to) for each in fields(value)}
    if "text" in changed and "code" in changed:
        changed["text"] = sentence(Said(changed["code"], changed["values"]), to)
    return replace(value, **changed)


def mail_texts(language: str) -> Mapping[str, str | tuple[str, str]]:
    """What the mails to customers say in a language, by code; of a pair, the second is said of several."""
    return getattr(TABLES[language], "MAILS", {})


def in_parts(text: str, values: Mapping[str, Any], to: Reader) -> Iterator[tuple[Any, bool]]:
    """A text of a table in parts, each with whether it stands between two *asterisks*: words, and as they are those
    values that words cannot stand for, such as a link. An asterisk in a value means nothing."""
    return _Words(to).in_parts(text, values)


def _is_thing(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, Said)


def day(value: date, language: str) -> str:
    """A date as one reads it: 1 december 2026, 1 December 2026, 1. Dezember 2026."""
    table = TABLES[language]
    return str(table.DAY.format(day=value.day, month=table.MONTHS[value.month - 1], year=value.year))


def moment(value: datetime, to: Reader) -> str:
    """A moment in the shop's zone: 1 december 2026 om 07:00."""
    here = value.astimezone(to.zone)
    return f"{day(here.date(), to.language)} {TABLES[to.language].AT} {here:%H:%M}"


def money(value: str, language: str) -> str:
    """An amount with its currency, which is "EUR 1234.50", as one reads it: € 1.234,50, €1,234.50, 1.234,50 €."""
    currency, amount = value.split(" ")
    table = TABLES[language]
    whole, _, part = amount.partition(".")
    grouped = f"{int(whole):,}".replace(",", table.THOUSANDS)
    number = f"{grouped}{table.DECIMAL}{part}" if part else grouped
    if symbol := _SYMBOLS.get(currency):
        return str(table.AMOUNT.format(symbol=symbol, number=number))
    return str(table.AMOUNT_BY_CODE.format(code=currency, number=number))


class _Words(Formatter):
    """Fields name how their value is written: {first_day:day}, {at:moment}, {amount:money}, {skus:products},
    {licenses:list}, {lines:goods} for lines such as "2 x SKU"; {why} for something said within, {standing:standing}
    for a word that stands in the table as `standing_paid`, and {mail:the_mail} for that mail of an order."""

    def __init__(self, to: Reader) -> None:
        self._to = to
        self._table = TABLES[to.language]

    def of(self, text: str, values: Mapping[str, Any]) -> str:
        """A sentence of the table, with what is known of its values."""
        return self.vformat(self._kept(text, values), (), values)

    def in_parts(self, text: str, values: Mapping[str, Any]) -> Iterator[tuple[Any, bool]]:
        for n, piece in enumerate(self._kept(text, values).split(_MARK)):
            for literal, name, spec, _ in self.parse(piece):
                yield literal, n % 2 == 1
                if name is not None:
                    value = self.get_value(name, (), values)
                    yield value if _is_thing(value) else self.format_field(value, spec or ""), n % 2 == 1

    def _kept(self, text: str, values: Mapping[str, Any]) -> str:
        """The text without the parts in brackets of which a value is not known."""
        parts = _OPTIONAL.split(text)  # those at odd places may be left out
        return "".join(part for n, part in enumerate(parts) if n % 2 == 0 or self._is_known(part, values))

    def _is_known(self, part: str, values: Mapping[str, Any]) -> bool:
        named = [(name, spec) for _, name, spec, _ in self.parse(part) if name]
        return all(self.format_field(self.get_value(name, (), values), spec or "") for name, spec in named)

    def get_value(self, key: int | str, _args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "")

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value that is not as its field needs it, as only another version stores one, stays as it is: one order must
        not take the list from all others."""
        if isinstance(value, Said):
            return sentence(value, self._to)
        if value == "":
            return ""
        try:
            return self._written(value, format_spec)
        except (AttributeError, TypeError, ValueError):
            return str(value)

    def _written(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "":
                return str(value)
            case "day":
                return day(date.fromisoformat(value[:10]), self._to.language)
            case "moment":
                return moment(datetime.fromisoformat(value), self._to)
            case "money":
                return money(value, self._to.language)
            case "list" | "goods":
                return self._goods(_BETWEEN[format_spec].join(map(str, value)))
            case "product":
                return self._to.names.get(value, value)
            case "products":
                return ", ".join(self._to.names.get(each, each) for each in value)
            case "ses":
                return next((words for sign, words in self._table.SES.items() if sign in value), "")
            case "the_mail":
                return self._mail(value)
        return self._word(format_spec, value)

    def _goods(self, lines: str) -> str:
        """The text with "2 x SKU" in it as a customer reads it, by the product's name."""
        times = "\N{MULTIPLICATION SIGN}"
        return _GOODS.sub(lambda of: f"{of[1]} {times} {self._to.names.get(of[2], of[2])}", lines)

    def _word(self, kind: str, value: str) -> str:
        code = f"{kind}_{value.replace(' ', '_')}"
        return str(self._table.TEXTS.get(code) or TABLES[FALLBACK].TEXTS.get(code, value))

    def _mail(self, mail_id: str) -> str:
        """ "the e-mail with the codes" for purchase-1, and with (2) behind it for purchase-2."""
        purpose, _, number = mail_id.rpartition("-")
        name = self._word("the_mail", purpose)
        return name if number == "1" else f"{name} ({number})"
