"""Builds the real things, once per execution environment: one boto3 session, clients and never resources."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config as ClientConfig

from keypost.config import Config
from keypost.errors import ProviderRefused
from keypost.queue import Queue
from keypost.secrets import Secrets
from keypost.store import Store

if TYPE_CHECKING:
    from keypost.advance import Worker
    from keypost.provider_api import ProviderApi

# SendEmail and SendMessage have no idempotency token, so a second attempt by the SDK is a second mail or message.
ONE_ATTEMPT = ClientConfig(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10)
SEVERAL_ATTEMPTS = ClientConfig(
    retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=5
)


@cache
def config() -> Config:
    return Config.read(os.environ)


@cache
def store() -> Store:
    return Store(session().client("dynamodb", config=SEVERAL_ATTEMPTS), config().table)


@cache
def queue() -> Queue:
    return Queue(session().client("sqs", config=ONE_ATTEMPT), config().queue_url)


@cache
def worker() -> "Worker":
    """Only the worker loads the templates' engine and the mailer."""
    from keypost.advance import Worker
    from keypost.emails import Shop
    from keypost.mailer import Mailer

    settings = config()
    return Worker(
        store=store(),
        queue=queue(),
        mailer=Mailer(session().client("sesv2", config=ONE_ATTEMPT), settings.configuration_set),
        shop=Shop(
            name=settings.shop_name,
            details=settings.shop_details,
            sender_address=settings.sender_address,
            support_address=settings.support_address,
            zone=settings.zone,
        ),
        clock=lambda: datetime.now(UTC).replace(microsecond=0),
    )


@cache
def secrets() -> Secrets:
    return Secrets(session().client("secretsmanager", config=SEVERAL_ATTEMPTS), config().secrets)


def provider_api(name: str) -> "ProviderApi":
    """The API of a provider, with the key that is set now. KeypostError when none is."""
    from keypost.provider_api import ProviderApi

    keys = secrets().read(f"{name}_api_key")
    if not keys:
        raise ProviderRefused(f"no API key of {name} is set: `keypost secrets set {name}_api_key`")
    return ProviderApi({"mollie": config().mollie_url}[name], keys[0], _pool())


@cache
def _pool() -> Any:
    import urllib3

    return urllib3.PoolManager()


@cache
def session() -> Any:
    return boto3.Session()
