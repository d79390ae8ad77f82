"""The shop's color, made readable: text and its background have a contrast of at least 4.5 (WCAG 2) whatever color is
set, in the light and in the dark scheme."""

from functools import cache

from keypost.core.frozen import dataclass

CARD, DARK_CARD = "#ffffff", "#1d262c"  # the backgrounds of text
_WHITE, _BLACK = "#ffffff", "#000000"
_READABLE = 4.5
_READABLE_IN_THE_DARK = 7.0
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Colors:
    button: str  # the shop's color as it is
    on_button: str  # the text on it
    accent: str  # links and the shop's name
    dark_accent: str
    card: str = CARD
    dark_card: str = DARK_CARD


@cache
def colors_of(brand: str) -> Colors:
    """The colors for a mail, from the shop's color as HTML writes it: #0b6e5b."""
    on_button = max((_WHITE, _BLACK), key=lambda ink: contrast(ink, brand))
    return Colors(
        brand,
        on_button,
        _until(_READABLE, brand, _BLACK, CARD),
        _until(_READABLE_IN_THE_DARK, brand, _WHITE, DARK_CARD),
    )


def contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _until(wanted: float, color: str, toward: str, ground: str) -> str:
    """The color with as little black or white mixed in as is needed for that contrast."""
    mixes = (_mixed(color, toward, step / _STEPS) for step in range(_STEPS + 1))
    return next(mix for mix in mixes if contrast(mix, ground) >= wanted)


def _mixed(color: str, other: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _luminance(color: str) -> float:
    linear = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB
        for share in (channel / 255 for channel in _channels(color))
    )
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _channels(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))
