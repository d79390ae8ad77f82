"""The secrets of the providers that a shop uses, and their webhooks: asked for, checked, made and set. Each secret goes
from the keyboard or the provider into the stack, and nowhere else."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cli import webhooks
from cli.doctor.checks import fault_of_hook, name_of, url_of_door
from cli.secret_forms import fault_of
from cli.speech import say
from cli.stacks import Found, Stack
from cli.webhooks import Account
from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnavailable
from keypost.core.said import Said, said
from keypost.providers import PROVIDERS

Ask = Callable[[Said], str]  # asks for a secret, which is not shown; empty if there is none

_OPTIONAL_KEYS = {"stripe": "stripe_api_key", "woocommerce": "woocommerce_api_key", "moneybird": "moneybird_api_key"}
_NEEDED_KEYS = {"mollie": "mollie_api_key", "mollie-events": "mollie_api_key"}
_API_PARAMETERS = {"stripe": "StripeUrl", "mollie-events": "MollieUrl"}
_OWN = {"mollie": "mollie_token", "webhook": "webhook_signing"}  # secrets that Keypost makes, and shows once


@dataclass(frozen=True, slots=True)
class Doors:
    """What the steps of all providers share."""

    at: Found
    to: Stack
    ask: Ask

    @property
    def stage(self) -> str:
        return self.at.parameters.get("Stage", "local")

    def is_set(self, name: str) -> bool:
        return name in self.to.secrets.names()

    def set_asked(self, name: str, question: Said) -> bool:
        """Ask for a secret until it is of the right kind and mode, and set it; says whether there was one."""
        while value := self.ask(question).strip():
            fault = fault_of(name, value, self.stage)
            if fault is None:
                self.to.secrets.set(name, value)
                say("secret_set", name=name)
                return True
            say(said("secret_not_set", why=fault), err=True)
        return False


def open_door(doors: Doors, provider: str) -> None:
    """Everything that this provider needs in order to call, as far as it is not there yet."""
    key = _NEEDED_KEYS.get(provider) or _OPTIONAL_KEYS.get(provider)
    if key and not doors.is_set(key):
        doors.set_asked(key, said("ask_key", name=key, provider=name_of(provider)))
    if provider in _OWN:
        _tell_how_to_make(doors, provider)
    elif provider in webhooks.CAN_MAKE:
        _webhook_by_api(doors, provider)
    else:
        _webhook_by_hand(doors, provider)


def _tell_how_to_make(doors: Doors, provider: str) -> None:
    name = _OWN[provider]
    if doors.is_set(name):
        say("door_is_open", provider=name_of(provider))
    else:
        say("secret_is_yours_to_make", name=name, command=f"keypost secrets generate {name}{doors.at.option}")


def _webhook_by_hand(doors: Doors, provider: str) -> None:
    name = PROVIDERS[provider].secret
    if doors.is_set(name):
        say("door_is_open", provider=name_of(provider))
        return
    url = url_of_door(doors.at.outputs["ApiUrl"], provider)
    say("make_webhook_by_hand", provider=name_of(provider), url=url)
    if not doors.set_asked(name, said("ask_signing", name=name, provider=name_of(provider))):
        say("door_stays_shut", provider=name_of(provider), err=True)


def _webhook_by_api(doors: Doors, provider: str) -> None:
    """The webhook at the provider, if it is not there; its secret is in the answer to its creation only."""
    name, url = PROVIDERS[provider].secret, url_of_door(doors.at.outputs["ApiUrl"], provider)
    account = _account(doors, provider, doors.to.secrets.value(f"{name_of(provider)}_api_key"))
    fault = _fault(account, url) if account.key else said("key_may_not_list_webhooks", provider=name_of(provider))
    if fault is None and doors.is_set(name):
        say("door_is_open", provider=name_of(provider))
    elif fault is not None and fault.code == "webhook_is_missing" and _made(doors, account, url):
        say("webhook_is_made", provider=name_of(provider), url=url)
    else:
        if fault is not None:
            say(fault, err=True)
        _webhook_by_hand(doors, provider)


def _fault(account: Account, url: str) -> Said | None:
    """What is wrong with the webhook; None if nothing is."""
    try:
        return fault_of_hook(account.provider, webhooks.hooks(account), url)
    except ProviderForbidden:
        return said("key_may_not_list_webhooks", provider=name_of(account.provider))
    except (ProviderRefused, ProviderUnavailable) as error:
        return said("webhooks_not_read", provider=name_of(account.provider), why=error.said)


def _made(doors: Doors, account: Account, url: str) -> bool:
    """Make the webhook with the key of the stack, or else with one that is asked for, used once and not kept."""
    provider = account.provider
    with suppress(ProviderForbidden):
        return _keep(doors, provider, webhooks.create(account, url))
    question = said("ask_key_once", provider=name_of(provider))
    while key := doors.ask(question).strip():
        fault = fault_of(f"{name_of(provider)}_api_key", key, doors.stage)
        if fault is not None:
            say(fault, err=True)
            continue
        try:
            return _keep(doors, provider, webhooks.create(_account(doors, provider, key), url))
        except (ProviderRefused, ProviderUnavailable) as error:
            say(error.said, err=True)
    return False


def _keep(doors: Doors, provider: str, secret: str) -> bool:
    doors.to.secrets.set(PROVIDERS[provider].secret, secret)
    return True


def _account(doors: Doors, provider: str, key: str) -> Account:
    url = doors.at.parameters.get(_API_PARAMETERS[provider], "")
    return Account(provider, url, key, doors.stage != "live")
