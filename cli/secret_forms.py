"""The form of each secret, and whether a key of a provider is of the mode that a stack accepts. Nothing here shows or
keeps a value."""

import re
from dataclasses import dataclass

from keypost.core.said import Said, said


@dataclass(frozen=True, slots=True)
class Form:
    pattern: str
    example: str


FORMS = {
    "stripe_signing": Form(r"whsec_\S+", "whsec_..."),
    "stripe_api_key": Form(r"[rs]k_(test|live)_\w+", "rk_test_..., rk_live_..."),
    "webhook_signing": Form(r"(whsec_)?[A-Za-z0-9+/=]{32,}", "whsec_..."),
    "mollie_token": Form(r"[\w-]{16,}", "[A-Za-z0-9_-]{16,}"),
    "mollie_signing": Form(r"\S{8,}", "........"),
    "mollie_api_key": Form(r"(test|live)_\w+|access_\w+", "access_..., test_..., live_..."),
    "woocommerce_signing": Form(r"\S{8,}", "........"),
    "woocommerce_api_key": Form(r"(test_)?ck_\w+:cs_\w+", "ck_...:cs_..."),
    "moneybird_signing": Form(r"\S{8,}", "........"),
    "moneybird_api_key": Form(r"\S{8,}", "........"),
    "events_signing": Form(r"whsec_[A-Za-z0-9+/=]{32,}", "whsec_..."),
}
_MODE = re.compile(r"(?:[rs]k_)?(test|live)_")


def fault_of(name: str, value: str, stage: str) -> Said | None:
    """What is wrong with the values of a secret, of which there are two during a rotation; None if nothing is. A stack
    of stage `local` accepts keys of both modes."""
    for each in value.split():
        if not re.fullmatch(FORMS[name].pattern, each):
            return said("secret_of_wrong_kind", name=name, form=FORMS[name].example)
        mode = mode_of(name, each)
        if mode and stage not in ("local", mode):
            return said("secret_of_wrong_mode", name=name, mode=mode, stage=stage)
    return None


def mode_of(name: str, value: str) -> str:
    """test or live; empty for a secret that does not say it, such as an access token of Mollie."""
    found = _MODE.match(value) if name.endswith("_api_key") else None
    return found[1] if found else ""
