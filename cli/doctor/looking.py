"""Reads what `keypost doctor` judges. What cannot be read, for want of a right or of an answer, is a value too, so that
all else is still checked."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from cli import webhooks
from cli.doctor.checks import name_of
from cli.doctor.facts import Account, Facts, Identity, Schedule, Subscriber, Switch, Unseen
from cli.secret_forms import fault_of
from cli.stacks import Found, SecretsEditor, Stack
from cli.versions import OWN
from keypost.core.errors import KeypostError, ProviderForbidden
from keypost.core.said import Said, said
from keypost.table import Store
from keypost.use_cases.look_ahead import stocks

T = TypeVar("T")
Resolve = Callable[[str], list[str]]  # the TXT records of a name; none is an empty list

_OVERDUE = timedelta(hours=2)  # as for the alarm
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
_NO_FACT = Unseen(said("stack_has_no_outputs"))


def look(at: Found, resolve: Resolve, now: datetime) -> Facts:
    """All facts of a stack. If it is not whole, all that its outputs lead to is unseen."""
    domain, address = (at.parameters.get(name, "") for name in ("MailDomain", "SupportAddress"))
    ses, functions = at.session.client("sesv2"), at.session.client("lambda")
    is_whole = "TableName" in at.outputs
    to = at.connected() if is_whole else None
    resources = _seen(partial(_resources, at))
    kept = resources if isinstance(resources, Unseen) else resources[0]
    return Facts(
        name=at.name,
        option=at.option,
        is_emulated=at.parameters.get("Emulated") == "yes",
        parameters=at.parameters,
        api_url=at.outputs.get("ApiUrl", ""),
        status=at.status,
        own_version=OWN,
        version=at.outputs.get("Version"),
        identity=_seen(lambda: identity(ses, domain)),
        dmarc=_seen(lambda: dmarc(domain, resolve)),
        account=_seen(lambda: _account(ses)),
        concurrency=_seen(lambda: _concurrency(functions)),
        secrets=_seen(lambda: _secrets(to, at)) if to else _NO_FACT,
        hooks=dict(_hooks(to.secrets, at)) if to else {},
        schedules=kept if isinstance(kept, Unseen) else _seen(lambda: _schedules(at.session, kept)),
        triggers=kept if isinstance(kept, Unseen) else _seen(lambda: _triggers(functions, kept)),
        rules=kept if isinstance(kept, Unseen) else _seen(lambda: _rules(at.session, kept)),
        mail_events=_seen(lambda: _mail_events(ses, at.outputs)),
        seconds_off=resources if isinstance(resources, Unseen) else (now - resources[1]).total_seconds(),
        overdue=_seen(lambda: _overdue(to.store, now)) if to else _NO_FACT,
        stock=_seen(lambda: _stock(to, now)) if to else _NO_FACT,
        subscribers=kept if isinstance(kept, Unseen) else _seen(lambda: _subscribers(at.session, kept)),
        suppressed=_seen(lambda: _suppressed(ses, address)),
    )


def _seen(read: Callable[[], T]) -> T | Unseen:
    try:
        return read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _DENIED:
            return Unseen(said("may_not_read", action=error.operation_name))
        return Unseen(said("could_not_read", action=error.operation_name, error=code))
    except BotoCoreError as error:
        return Unseen(said("aws_unreachable", error=type(error).__name__))
    except KeypostError as error:
        return Unseen(error.said)


def identity(ses: Any, domain: str) -> Identity | None:
    """The mail domain at SES; None if SES does not know it."""
    try:
        known = ses.get_email_identity(EmailIdentity=domain)
    except ses.exceptions.NotFoundException:
        return None
    back = known.get("MailFromAttributes", {})
    return Identity(
        verified=known.get("VerifiedForSendingStatus", False),
        dkim=known.get("DkimAttributes", {}).get("Status", "NOT_STARTED"),
        mail_from=back.get("MailFromDomain", ""),
        mail_from_status=back.get("MailFromDomainStatus", "PENDING"),
    )


def dmarc(domain: str, resolve: Resolve) -> str | None:
    """The DMARC record of a domain, or else of the next one above it that has one; None if none has."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        for text in resolve("_dmarc." + ".".join(labels[start:])):
            if text.replace(" ", "").lower().startswith("v=dmarc1;"):
                return text
    return None


def resolve(name: str) -> list[str]:
    """The TXT records of a name, as the resolver of this machine knows them."""
    from dns import exception, resolver  # noqa: PLC0415 - only here DNS is asked

    try:
        answer = resolver.resolve(name, "TXT", lifetime=5)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return []
    except exception.DNSException as error:
        raise KeypostError("dns_silent", name=name, error=type(error).__name__) from None
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]


def _account(ses: Any) -> Account:
    told = ses.get_account()
    return Account(
        has_production_access=told.get("ProductionAccessEnabled", False),
        may_send=told.get("SendingEnabled", False),
        standing=told.get("EnforcementStatus", "HEALTHY"),
        review=told.get("Details", {}).get("ReviewDetails", {}).get("Status", ""),
    )


def _concurrency(functions: Any) -> int:
    return int(functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])


def _secrets(to: Stack, at: Found) -> Mapping[str, Said | None]:
    stage, profile = (at.parameters.get(name, "") for name in ("Stage", "MollieProfile"))

    def fault(name: str, value: str) -> Said | None:
        if name == "mollie_api_key" and value.startswith("access_") and not profile:
            return said("mollie_profile_missing")
        return fault_of(name, value, stage)

    return to.secrets.faults(fault)


def accounts(secrets: SecretsEditor, at: Found) -> Iterator[webhooks.Account]:
    """The accounts at providers whose webhooks a key of the stack may show."""
    is_test = at.parameters.get("Stage") != "live"
    stripe, mollie, shop = (secrets.value(f"{name}_api_key") for name in ("stripe", "mollie", "woocommerce"))
    shop_url = at.parameters.get("WooCommerceUrl", "").rstrip("/")
    if stripe:
        yield webhooks.Account("stripe", at.parameters.get("StripeUrl", ""), stripe, is_test)
    if mollie.startswith("access_") and secrets.value("mollie_signing"):
        yield webhooks.Account("mollie-events", at.parameters.get("MollieUrl", ""), mollie, is_test)
    if shop and shop_url:
        yield webhooks.Account("woocommerce", shop_url, shop, is_test)


def _hooks(secrets: SecretsEditor, at: Found) -> Iterator[tuple[str, tuple[webhooks.Hook, ...] | Unseen]]:
    known = _seen(lambda: list(accounts(secrets, at)))
    for account in [] if isinstance(known, Unseen) else known:  # that the secrets cannot be read is said once
        yield account.provider, _listed(account)


def _listed(account: webhooks.Account) -> tuple[webhooks.Hook, ...] | Unseen:
    try:
        return tuple(webhooks.hooks(account))
    except ProviderForbidden:
        return Unseen(said("key_may_not_list_webhooks", provider=name_of(account.provider)))
    except KeypostError as error:
        return Unseen(said("webhooks_not_read", provider=name_of(account.provider), why=error.said))


def _resources(at: Found) -> tuple[list[tuple[str, str, str]], datetime]:
    """The kind, the name in the template and the name in the account of each resource, and what time it is there."""
    pages = list(at.session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=at.name))
    found = [
        (each["ResourceType"], each["LogicalResourceId"], each.get("PhysicalResourceId", ""))
        for page in pages
        for each in page["StackResourceSummaries"]
    ]
    told = pages[-1]["ResponseMetadata"]["HTTPHeaders"].get("date")
    return found, parsedate_to_datetime(told) if told else datetime.now(UTC)


def _schedules(session: Any, resources: list[tuple[str, str, str]]) -> tuple[Schedule, ...]:
    scheduler = session.client("scheduler")
    names = sorted(name for kind, _, name in resources if kind == "AWS::Scheduler::Schedule")
    found = [scheduler.get_schedule(Name=name) for name in names]
    return tuple(Schedule(each["Name"], each.get("State") == "ENABLED") for each in found)


def _triggers(functions: Any, resources: list[tuple[str, str, str]]) -> tuple[Switch, ...]:
    names = sorted((name, uuid) for kind, name, uuid in resources if kind == "AWS::Lambda::EventSourceMapping")
    return tuple(
        Switch(
            name,
            functions.get_event_source_mapping(UUID=uuid)["State"] not in ("Disabled", "Disabling"),
            f"aws lambda update-event-source-mapping --uuid {uuid} --enabled",
        )
        for name, uuid in names
    )


def _rules(session: Any, resources: list[tuple[str, str, str]]) -> tuple[Switch, ...]:
    client = session.client("events")
    names = sorted((name, physical) for kind, name, physical in resources if kind == "AWS::Events::Rule")
    return tuple(
        Switch(name, client.describe_rule(Name=rule)["State"] != "DISABLED", f"aws events enable-rule --name {rule}")
        for name, rule in names
    )


def _mail_events(ses: Any, outputs: Mapping[str, str]) -> tuple[Switch, ...]:
    if "ConfigurationSet" not in outputs:
        return ()
    asked = {"ConfigurationSetName": outputs["ConfigurationSet"]}
    show = f"aws sesv2 get-configuration-set-event-destinations --configuration-set-name {outputs['ConfigurationSet']}"
    found = ses.get_configuration_set_event_destinations(**asked)["EventDestinations"]
    return tuple(Switch("MailEvents", bool(each.get("Enabled")), show) for each in found)


def _subscribers(session: Any, resources: list[tuple[str, str, str]]) -> tuple[Subscriber, ...]:
    (topic,) = [name for _, logical, name in resources if logical == "Alarms"]
    pages = session.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return tuple(
        Subscriber(each["Endpoint"], each["SubscriptionArn"].startswith("arn:"), topic)
        for page in pages
        for each in page["Subscriptions"]
    )


def _overdue(store: Store, now: datetime) -> int:
    return sum(map(len, store.due(now - _OVERDUE)))


def _stock(to: Stack, now: datetime) -> Mapping[str, int]:
    found, _ = stocks(to.store, now, to.zone, 0)
    return {each.sku: each.free for each in found if not each.is_retired}


def _suppressed(ses: Any, address: str) -> str | None:
    """Why SES drops mail to this address; None if it does not."""
    try:
        return str(ses.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]["Reason"])
    except ses.exceptions.NotFoundException:
        return None
