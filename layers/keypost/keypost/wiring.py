"""Builds the real objects, once per execution environment: one boto3 session, with clients and never resources. Each
builder loads what it builds, so that a function loads nothing that it does not use. `warm` builds ahead."""

import base64
import gc
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keypost import telemetry
from keypost.config import Config
from keypost.core.errors import KeypostError, ProviderRefused
from keypost.core.repeat import BOOKS

if TYPE_CHECKING:
    from email.message import EmailMessage

    from keypost.clients.bus import Bus
    from keypost.clients.mailer import Mailer
    from keypost.clients.outside import Outside
    from keypost.clients.provider_api import ProviderApi
    from keypost.clients.queue import Queue
    from keypost.clients.secrets import Secrets
    from keypost.clients.tokens import Tokens
    from keypost.core.forecast import Forecast
    from keypost.core.mail import Mail
    from keypost.core.order import Order
    from keypost.core.product import Product
    from keypost.core.shop import Intake
    from keypost.core.typed_codes import Signs
    from keypost.emails import Shop
    from keypost.providers.call import Call
    from keypost.table import Store
    from keypost.table.events_url import EventsUrl
    from keypost.table.schedule import Schedule
    from keypost.table.support_keys import SupportKeys
    from keypost.table.wishes import Wishes
    from keypost.use_cases.advance_order import Worker
    from keypost.use_cases.deliver_event import Shop as EventsShop
    from keypost.use_cases.help_customer import Desk

_BEFORE_THE_FIRST_RUN = timedelta(hours=24)  # as long as a provider may take to call a new stack
WORKERS = 5  # that may run at once, as in template.yaml
_API_HEADERS = {"stripe": {"Stripe-Version": "2026-10-28.endive"}}  # the newest one that was read against


def warm(*builders: Callable[[], object]) -> None:
    """Build what every call of a function needs while Lambda initializes it: it has a whole processor then, and no
    caller waits. What is there by then is left out of the search for garbage. Elsewhere nothing is built ahead."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    for build in builders:
        build()
    gc.freeze()
    gc.enable()


@cache
def config() -> Config:
    return Config.read(os.environ)


@cache
def store() -> "Store":
    from keypost.table import Store

    return Store(_dynamodb(), config().table)


@cache
def schedule() -> "Schedule":
    from keypost.table.schedule import Schedule

    return Schedule(_dynamodb(), config().table)


@cache
def support_keys() -> "SupportKeys":
    from keypost.table.support_keys import SupportKeys

    return SupportKeys(_dynamodb(), config().table)


@cache
def kept_wishes() -> "Wishes":
    from keypost.table.wishes import Wishes

    return Wishes(_dynamodb(), config().table)


@cache
def _dynamodb() -> Any:
    from keypost.clients import aws

    return aws.client(session(), "dynamodb", aws.SEVERAL_ATTEMPTS)


@cache
def queue() -> "Queue":
    from keypost.clients import aws
    from keypost.clients.queue import Queue

    return Queue(aws.client(session(), "sqs", aws.ONE_ATTEMPT), config().queue_url)


@cache
def wishes() -> "Queue":
    from keypost.clients import aws
    from keypost.clients.queue import Queue

    return Queue(aws.client(session(), "sqs", aws.ONE_ATTEMPT), config().wishes_url)


@cache
def event_queue() -> "Queue":
    from keypost.clients import aws
    from keypost.clients.queue import Queue

    return Queue(aws.client(session(), "sqs", aws.SEVERAL_ATTEMPTS), config().event_queue_url)


@cache
def bus() -> "Bus":
    from keypost.clients import aws
    from keypost.clients.bus import Bus

    return Bus(aws.client(session(), "events", aws.SEVERAL_ATTEMPTS), config().event_bus)


@cache
def outside() -> "Outside":
    from keypost.clients.outside import Outside

    return Outside(here=config().stage == "local")


@cache
def events_url() -> "EventsUrl":
    from keypost.table.events_url import EventsUrl

    return EventsUrl(_dynamodb(), config().table)


def events_shop() -> "EventsShop":
    """The program of the shop that takes events, with the present secrets."""
    from keypost.use_cases.deliver_event import Shop

    return Shop(config().events_url, secrets().read("events_signing"), outside(), events_url())


@cache
def worker() -> "Worker":
    """The worker of the queue, with its own pace."""
    from keypost.use_cases.advance_order import Worker

    return Worker(
        store=store(),
        queue=queue(),
        mailer=mailer().paced(config().mails_per_second, WORKERS),
        shop=shop(),
        clock=lambda: datetime.now(UTC).replace(microsecond=0),
        mails_per_second=mails_per_second,
        tells_ahead=config().paid_ahead == "on",
    )


def tell_of_low_stock(stock: "Iterable[Forecast]", today: date, now: datetime) -> None:
    """Only if anybody wants events: they load more of the package."""
    if config().tells_events == "on":
        from keypost.use_cases.tell_of_low_stock import tell_of_low_stock

        tell_of_low_stock(store(), stock, today, now)


def load_worker() -> None:
    """Load what the worker and its mails are made of. The worker itself is built by the first call, as it asks SES how
    many mails it may send."""
    import_module("keypost.use_cases.advance_order")
    import_module("keypost.use_cases.try_order")


def mails_per_second() -> float:
    return mailer().rate(config().mails_per_second)


def try_order(order_id: str, receives: int) -> None:
    from keypost.use_cases.forget_customers import PAUSE, forget_some
    from keypost.use_cases.poke_due import FORGET
    from keypost.use_cases.try_order import try_order

    if order_id == FORGET:
        settings = config()
        if forget_some(desk(), datetime.now(UTC), settings.forget_after_years, settings.fiscal_years):
            queue().poke(FORGET, PAUSE)
        return
    try_order(worker(), desk(), intake, order_id, receives)


def intake(now: datetime) -> "Intake":
    from keypost.core.shop import Intake

    settings = config()
    return Intake(
        settings.currency, start(now), settings.zone, settings.shop_language, settings.repeat_orders, has_books(now)
    )


def has_books(now: datetime) -> bool:
    """Whether Moneybird tells of orders. That is asked once a minute, until it does; on one machine each time."""
    if config().moneybird_administration or config().stage == "local":
        return bool(config().moneybird_administration) or store().was_heard(BOOKS)
    return _has_books(now.replace(second=0, microsecond=0))


@lru_cache(maxsize=1)
def _has_books(_minute: datetime) -> bool:
    return store().was_heard(BOOKS)


def start(now: datetime) -> datetime | None:
    """The moment from which Keypost serves. On a deployed stack the first function that asks for it writes it down. It
    is read once a minute, and on one machine each time, where people change it between two calls."""
    if config().stage == "local":
        return schedule().start()
    return _start(now.replace(second=0, microsecond=0))


@lru_cache(maxsize=1)
def _start(minute: datetime) -> datetime:
    return schedule().start_or(minute - _BEFORE_THE_FIRST_RUN)


@cache
def begin() -> None:
    """Have the moment written down from which Keypost serves, unless one is. Once it is, nobody has to look again."""
    start(datetime.now(UTC))


def signs(now: datetime) -> "Signs":
    """By what codes are recognized in what people type. The catalog is read once a minute, and on one machine each
    time, where people change it between two calls."""
    if config().stage == "local":
        return _signs_now()
    return _signs(now.replace(second=0, microsecond=0))


@lru_cache(maxsize=1)
def _signs(_minute: datetime) -> "Signs":
    return _signs_now()


def _signs_now() -> "Signs":
    from keypost.core.typed_codes import signs_of

    return signs_of(store().catalog().values())


def catalog(now: datetime) -> "Mapping[str, Product]":
    """All products by SKU, for pages that anybody may open as often as they like. They are read every five minutes, and
    on one machine each time, where people change them between two calls."""
    if config().stage == "local":
        return store().catalog()
    return _catalog(int(now.timestamp()) // 300)


@lru_cache(maxsize=1)
def _catalog(_five_minutes: int) -> "Mapping[str, Product]":
    return store().catalog()


def forget_signs() -> None:
    """After the catalog has changed."""
    _signs.cache_clear()


def hide_codes(text: str) -> str:
    """What somebody typed, with each activation code in it masked to its last five characters."""
    from keypost.use_cases.hide_codes import hidden

    return hidden(store(), text, signs(datetime.now(UTC)))


def reference(renews: str) -> str:
    """What somebody typed of what is renewed, with its license in place of an activation code."""
    from keypost.use_cases.hide_codes import reference

    return reference(store(), renews, signs(datetime.now(UTC)))


def number_of(typed: str) -> str | None:
    """The number of the order that somebody means; None if there is none."""
    from keypost.core.references import numbers

    return store().first_of(numbers(typed))


def shop() -> "Shop":
    from keypost.emails import Shop

    settings = config()
    return Shop(
        name=settings.shop_name,
        address=settings.shop_address,
        sender_address=settings.sender_address,
        support_address=settings.support_address,
        zone=settings.zone,
        kvk_number=settings.shop_kvk,
        phone=settings.shop_phone,
        logo_url=settings.shop_logo,
        color=settings.shop_color,
        public_url=settings.public_url.rstrip("/"),
        has_self_service=settings.self_service == "on",
    )


def preview(order: "Order", mail: "Mail", now: datetime) -> "EmailMessage":
    """A mail as its customer gets it, codes masked. Only a call that shows one loads the template engine."""
    from keypost.emails import preview

    products = store().products({*order.skus, *(license_.sku for license_ in order.licenses)})
    return preview(order, mail, products, shop(), now)


@cache
def desk() -> "Desk":
    from keypost.use_cases.help_customer import Desk

    return Desk(store(), queue(), config().zone)


@cache
def mailer() -> "Mailer":
    from keypost.clients import aws
    from keypost.clients.mailer import Mailer

    return Mailer(aws.client(session(), "sesv2", aws.ONE_ATTEMPT), config().configuration_set)


@cache
def secrets() -> "Secrets":
    from keypost.clients import aws
    from keypost.clients.secrets import Secrets

    return Secrets(aws.client(session(), "secretsmanager", aws.SEVERAL_ATTEMPTS), config().secrets)


@cache
def tokens() -> "Tokens":
    """The verifier of tokens. Its libraries are loaded only if an issuer is set."""
    from keypost.clients.tokens import Tokens

    settings = config()
    return Tokens(settings.support_issuer, settings.support_audience, _pool(), here=settings.stage == "local")


@lru_cache(maxsize=1)
def _sign_in(_quarter: int) -> dict[str, str]:
    settings = config()
    told = tokens().sign_in()
    return {
        "issuer": settings.support_issuer,
        "authorize": told["authorization_endpoint"],
        "token": told["token_endpoint"],
        "client": settings.support_client or settings.support_audience,
        "scope": settings.support_scopes,
    }


def sign_in(now: datetime) -> dict[str, str]:
    """Where agents sign in, as the support page needs it; empty if they use keys, and the issuer's name alone while the
    issuer cannot be asked. It is asked every quarter of an hour. The page needs no other setting, so only this one is
    looked for."""
    if not os.environ.get("KEYPOST_SUPPORT_ISSUER"):
        return {}
    from urllib3.exceptions import HTTPError

    try:
        return _sign_in(int(now.timestamp()) // 900)
    except (KeypostError, HTTPError) as error:
        telemetry.failure(error)
        return {"issuer": config().support_issuer}


def provider_call(
    api: str,
    now: datetime,
    body: bytes = b"",
    headers: Mapping[str, str] = MappingProxyType({}),
    query: Mapping[str, str] = MappingProxyType({}),
) -> "Call":
    """What a provider's module gets of a callback, with the API that it may ask if a key for that is set."""
    from keypost.providers.call import Call

    settings = config()
    asked = provider_api(api)
    return Call(
        body,
        headers,
        query,
        settings.stage,
        now,
        settings.zone,
        settings.mollie_profile,
        asked.get if asked else None,
        settings.paid_statuses,
        asked.post if asked else None,
    )


def provider_api(api: str) -> "ProviderApi | None":
    """A provider's API with the present key; None if no key is set, or if it is not known where the API is."""
    from keypost.clients.provider_api import ProviderApi

    keys = secrets().read(f"{api}_api_key") if api else ()
    url, _ = config().api_urls[api] if api else ("", "")
    if not keys or not url:
        return None
    _check_key(api, keys[0])
    if api == "woocommerce":  # a key and its secret, "ck_...:cs_..."
        basic = base64.b64encode(keys[0].encode()).decode()
        return ProviderApi(url, basic, _pool(), scheme="Basic", gives_lists=True)
    # An access token works in both modes, and each call names one.
    is_of_both_modes = _is_access_token(keys[0]) and config().stage != "live"
    query = {"testmode": "true"} if is_of_both_modes else {}
    return ProviderApi(url, keys[0], _pool(), _API_HEADERS.get(api, {}), query, gives_lists=api == "moneybird")


def _check_key(api: str, key: str) -> None:
    """Refuse a key that would reach further than this stack should."""
    url, official = config().api_urls[api]
    if url != official and not re.match(r"(test|sk_test|rk_test)_", key):
        raise ProviderRefused("live_key_elsewhere", provider=api, url=official)
    if _is_access_token(key) and not config().mollie_profile:
        raise ProviderRefused("mollie_profile_missing")


def _is_access_token(key: str) -> bool:
    return key.startswith("access_")


@cache
def _pool() -> Any:
    import urllib3

    return urllib3.PoolManager()


@cache
def session() -> Any:
    import boto3

    return boto3.Session()


def forget() -> None:
    """Have everything built anew at its next use: for tests, after the environment has changed."""
    for builder in list(globals().values()):
        if hasattr(builder, "cache_clear"):
            builder.cache_clear()
