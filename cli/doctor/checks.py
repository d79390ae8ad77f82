"""The checks: each is a function from what was read to findings, in the order in which one mends what is wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cli.doctor.facts import Account, Facts, Identity, Unseen
from cli.places import how_to_update
from cli.versions import ranked
from cli.webhooks import CAN_LIST, Hook, events_of
from keypost.core.errors import KeypostError
from keypost.core.said import Said, said
from keypost.providers import PROVIDERS

ENOUGH_CONCURRENCY = 100  # of which the queues take nine
_MOST_SECONDS_OFF = 60  # AWS and the providers refuse what is signed five minutes off
_WHOLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_SCHEDULES = 4


class State(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: State
    why: Said
    mend: str = ""  # the command that mends it, as one types it


@dataclass(frozen=True, slots=True)
class Check:
    run: Callable[[Facts], Iterable[Finding]]
    reads: tuple[str, ...] = ()  # the facts without which it finds nothing
    only_on_aws: bool = False


def findings(facts: Facts) -> Iterator[Finding]:
    """All findings. Of a stack that is not whole there is only that one, because nothing else can be mended first."""
    for name, check in CHECKS.items():
        if check.only_on_aws and facts.is_emulated:
            continue
        found = list(_run(name, check, facts))
        yield from found
        if name == "stack" and any(each.state is State.WRONG and not facts.api_url for each in found):
            return


def left_out(facts: Facts) -> list[str]:
    """What nobody can check here: what an emulator lacks, and webhooks that a provider shows to no such key."""
    lacking = [name for name, check in CHECKS.items() if check.only_on_aws and facts.is_emulated]
    known = () if isinstance(facts.secrets, Unseen) else facts.secrets
    unlisted = [name for name in CAN_LIST if PROVIDERS[name].secret in known and name not in facts.hooks]
    return [*lacking, *(f"webhooks ({name})" for name in unlisted)]


def _run(name: str, check: Check, facts: Facts) -> Iterable[Finding]:
    read = {each: getattr(facts, each) for each in check.reads}
    unseen = [each for each in read.values() if isinstance(each, Unseen)]
    if unseen:
        return [Finding(name, State.UNSEEN, each.why) for each in unseen]
    return check.run(facts)


def _right(check: str, why: Said) -> Finding:
    return Finding(check, State.RIGHT, why)


def _wrong(check: str, why: Said, mend: str) -> Finding:
    return Finding(check, State.WRONG, why, mend)


def _stack(facts: Facts) -> Iterator[Finding]:
    if facts.status in _WHOLE:
        yield _right("stack", said("stack_is_whole", stack=facts.name))
        return
    mend = mend_of_status(facts.status, facts.name, facts.option)
    yield _wrong("stack", said("stack_is_not_whole", stack=facts.name, status=facts.status), mend)


def mend_of_status(status: str, name: str, option: str | None = None) -> str:
    """The command after which a stack of this status can be deployed again."""
    option = f" --stack {name}" if option is None else option
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        return f"keypost doctor{option}"
    if status == "UPDATE_ROLLBACK_FAILED":
        return f"aws cloudformation continue-update-rollback --stack-name {name}"
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return f"keypost setup deploy{option}"
    return f"aws cloudformation delete-stack --stack-name {name}"


def _version(facts: Facts) -> Iterator[Finding]:
    stack, own = facts.version, facts.own_version
    try:
        difference = (ranked(own) > ranked(stack or "0")) - (ranked(own) < ranked(stack or "0"))
    except KeypostError:
        difference = -1
    if difference < 0:
        yield _wrong("version", said("command_is_older", own=own, stack=stack), how_to_update())
    elif difference > 0:
        yield _wrong("version", said("stack_is_older", own=own, stack=stack), f"keypost setup deploy{facts.option}")
    else:
        yield _right("version", said("versions_are_equal", own=own))


def _identity(facts: Facts) -> Iterator[Finding]:
    found, domain, mend = facts.identity, facts.domain, f"keypost setup dns{facts.option}"
    if not isinstance(found, Identity):
        yield _wrong("identity", said("domain_unknown_to_ses", domain=domain), f"keypost setup deploy{facts.option}")
    elif found.verified and found.dkim in ("SUCCESS", "TEMPORARY_FAILURE"):
        yield _right("identity", said("domain_is_verified", domain=domain))
    else:
        yield _wrong("identity", said("dkim_is_missing", domain=domain, status=found.dkim), mend)


def _mail_from(facts: Facts) -> Iterator[Finding]:
    found, mend = facts.identity, f"keypost setup dns{facts.option}"
    if not isinstance(found, Identity) or not found.mail_from:
        yield _wrong("mail_from", said("mail_from_is_not_set", domain=facts.domain), mend)
    elif found.mail_from_status == "SUCCESS":
        yield _right("mail_from", said("mail_from_is_right", domain=found.mail_from))
    elif found.mail_from_status == "FAILED":
        yield _wrong("mail_from", said("mail_from_has_failed", domain=found.mail_from), mend)
    else:
        yield _wrong("mail_from", said("mail_from_is_missing", domain=found.mail_from), mend)


def _dmarc(facts: Facts) -> Iterator[Finding]:
    if facts.dmarc is None:
        yield _wrong("dmarc", said("dmarc_is_missing", domain=facts.domain), f"keypost setup dns{facts.option}")
    else:
        yield _right("dmarc", said("dmarc_is_there", record=facts.dmarc))


def _account(facts: Facts) -> Iterator[Finding]:
    account = facts.account
    if isinstance(account, Unseen):
        return
    if account.has_production_access and account.may_send and account.standing == "HEALTHY":
        yield _right("account", said("ses_lets_us_send"))
    elif not account.may_send or account.standing != "HEALTHY":
        yield _wrong("account", said("ses_has_paused_us", standing=account.standing), _RESUME)
    else:
        yield _sandbox(account)


def _sandbox(account: Account) -> Finding:
    if account.review == "PENDING":
        return _wrong("account", said("sandbox_is_in_review"), "")
    return _wrong("account", said("ses_is_a_sandbox"), _LEAVE_SANDBOX)


_RESUME = "aws sesv2 get-account"
_LEAVE_SANDBOX = (
    "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL"
    " --website-url https://SHOP --contact-language EN --use-case-description TEXT"
)


def _quotas(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.concurrency, int) and facts.concurrency < ENOUGH_CONCURRENCY:
        yield _wrong("quotas", said("too_few_functions_at_once", count=facts.concurrency), _MORE_AT_ONCE)
    else:
        yield _right("quotas", said("enough_functions_at_once", count=facts.concurrency))


_MORE_AT_ONCE = (
    "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
    " --desired-value 1000"
)


def _secrets(facts: Facts) -> Iterator[Finding]:
    found = facts.secrets
    if isinstance(found, Unseen):
        return
    wrong = {name: fault for name, fault in found.items() if fault} | _missing(found, facts.parameters)
    for name, why in wrong.items():
        yield _wrong("secrets", why, _mend_of_secret(name, why, facts.option))
    if not wrong:
        yield _right("secrets", said("secrets_are_right", names=sorted(found)))


def _mend_of_secret(name: str, why: Said, option: str) -> str:
    if why.code == "mollie_profile_missing":
        return f"keypost setup answers{option}"
    if why.code == "events_are_not_signed":
        return f"keypost secrets generate {name}{option}"
    return f"keypost secrets set {name}{option}" if name else f"keypost setup webhooks{option}"


def _missing(found: Mapping[str, Said | None], parameters: Mapping[str, str]) -> dict[str, Said]:
    """What is lacking, by the secret that is to be set, the parameter, or nothing."""
    missing = {}
    if not any(provider.secret in found for provider in PROVIDERS.values()):
        missing[""] = said("no_provider_may_call")
    if {"mollie_token", "mollie_signing"} & found.keys() and "mollie_api_key" not in found:
        missing["mollie_api_key"] = said("key_is_missing", name="mollie_api_key", provider="mollie")
    for provider, parameter in {"woocommerce": "WooCommerceUrl", "moneybird": "MoneybirdAdministration"}.items():
        name = f"{provider}_api_key"
        if parameters.get(parameter) and name not in found:
            missing[name] = said("key_is_missing", name=name, provider=provider)
    if parameters.get("EventsUrl") and "events_signing" not in found:
        missing["events_signing"] = said("events_are_not_signed", name="events_signing")
    return missing


def name_of(provider: str) -> str:
    """What people call a provider that has several ways to call."""
    return provider.partition("-")[0]


def _webhooks(facts: Facts) -> Iterator[Finding]:
    for provider, listed in facts.hooks.items():
        yield _webhook(facts, provider, listed)


def _webhook(facts: Facts, provider: str, listed: tuple[Hook, ...] | Unseen) -> Finding:
    mend = f"keypost setup webhooks{facts.option}"
    if isinstance(listed, Unseen):
        return Finding("webhooks", State.UNSEEN, listed.why)
    why = fault_of_hook(provider, listed, url_of_door(facts.api_url, provider))
    if why is None:
        return _right("webhooks", said("webhook_is_right", provider=name_of(provider)))
    return _wrong("webhooks", why, mend)


def url_of_door(api_url: str, provider: str) -> str:
    return f"{api_url}/callbacks/{provider}"


def fault_of_hook(provider: str, listed: Iterable[Hook], url: str) -> Said | None:
    """What is wrong with the webhook that should call this URL; None if nothing is."""
    ours = [hook for hook in listed if hook.url.rstrip("/") == url]
    if not ours:
        return said("webhook_is_missing", provider=name_of(provider), url=url)
    if not any(hook.is_on for hook in ours):
        return said("webhook_is_off", provider=name_of(provider), url=url)
    told = frozenset[str]().union(*(hook.events for hook in ours if hook.is_on))
    needed = ["order.updated"] if provider == "woocommerce" else events_of(provider)
    missing = sorted(set(needed) - told) if "*" not in told else []
    return said("webhook_lacks_events", provider=name_of(provider), events=missing) if missing else None


def _clocks(facts: Facts) -> Iterator[Finding]:
    schedules, off = facts.schedules, facts.seconds_off
    if isinstance(schedules, Unseen) or isinstance(off, Unseen):
        return
    wrong = list(_wrong_clocks(facts, [each.name for each in schedules if not each.is_on], len(schedules), off))
    yield from wrong or [_right("clocks", said("clocks_are_right"))]


def _wrong_clocks(facts: Facts, stopped: list[str], count: int, off: float) -> Iterator[Finding]:
    if count < _SCHEDULES:
        mend = f"keypost setup deploy{facts.option}"
        yield _wrong("clocks", said("schedules_are_missing", count=_SCHEDULES - count), mend)
    for name in stopped:
        yield _wrong("clocks", said("schedule_is_off", name=name), f"aws scheduler get-schedule --name {name}")
    if abs(off) > _MOST_SECONDS_OFF:
        yield _wrong("clocks", said("own_clock_is_off", seconds=round(off)), "timedatectl set-ntp true")
    if facts.overdue:
        mend = f"keypost due --days 0{facts.option}"
        yield _wrong("clocks", said("orders_are_overdue", count=facts.overdue), mend)


def _switches(facts: Facts) -> Iterator[Finding]:
    switches = [
        each for some in (facts.triggers, facts.rules, facts.mail_events) if isinstance(some, tuple) for each in some
    ]
    off = [each for each in switches if not each.is_on]
    for each in off:
        yield _wrong("switches", said("switch_is_off", name=each.name), each.mend)
    if not off:
        yield _right("switches", said("switches_are_on"))


def _products(facts: Facts) -> Iterator[Finding]:
    if facts.stock:
        yield _right("products", said("products_are_there", count=len(_counted(facts))))
    else:
        yield _wrong("products", said("no_product"), f"keypost products apply products.toml{facts.option}")


def _stock(facts: Facts) -> Iterator[Finding]:
    empty = sorted(sku for sku, free in _counted(facts).items() if not free)
    for sku in empty:
        mend = f"keypost stock import codes.csv --sku {sku}{facts.option}"
        yield _wrong("stock", said("no_free_code", skus=[sku]), mend)
    if _counted(facts) and not empty:
        yield _right("stock", said("each_product_has_codes"))


def _counted(facts: Facts) -> Mapping[str, int]:
    return {} if isinstance(facts.stock, Unseen) else facts.stock


def _alarms(facts: Facts) -> Iterator[Finding]:
    subscribers = () if isinstance(facts.subscribers, Unseen) else facts.subscribers
    confirmed = [each.address for each in subscribers if each.is_confirmed]
    if confirmed:
        yield _right("alarms", said("alarms_reach", addresses=confirmed))
    elif subscribers:
        first, addresses = subscribers[0], [each.address for each in subscribers]
        mend = f"aws sns subscribe --topic-arn {first.topic} --protocol email --notification-endpoint {first.address}"
        yield _wrong("alarms", said("alarm_address_is_unconfirmed", addresses=addresses), mend)
    else:
        yield _wrong("alarms", said("nobody_gets_alarms"), f"keypost setup answers{facts.option}")


def _note(facts: Facts) -> Iterator[Finding]:
    address = facts.parameters.get("SupportAddress", "")
    if facts.suppressed is None:
        yield _right("note", said("note_may_arrive", address=address))
    else:
        mend = f"aws sesv2 delete-suppressed-destination --email-address {address}"
        yield _wrong("note", said("note_address_is_suppressed", address=address, why=str(facts.suppressed)), mend)


CHECKS = {
    "stack": Check(_stack),
    "version": Check(_version),
    "identity": Check(_identity, ("identity",), only_on_aws=True),
    "mail_from": Check(_mail_from, ("identity",), only_on_aws=True),
    "dmarc": Check(_dmarc, ("dmarc",), only_on_aws=True),
    "account": Check(_account, ("account",), only_on_aws=True),
    "quotas": Check(_quotas, ("concurrency",), only_on_aws=True),
    "secrets": Check(_secrets, ("secrets",)),
    "webhooks": Check(_webhooks),
    "clocks": Check(_clocks, ("schedules", "seconds_off", "overdue")),
    "switches": Check(_switches, ("triggers", "rules", "mail_events")),
    "products": Check(_products, ("stock",)),
    "stock": Check(_stock, ("stock",)),
    "alarms": Check(_alarms, ("subscribers",), only_on_aws=True),
    "note": Check(_note, ("suppressed",)),
}
