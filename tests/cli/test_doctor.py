"""What `keypost doctor` finds, and what it says where it cannot look."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import EndpointConnectionError

from cli.doctor import looking
from cli.doctor.checks import CHECKS, State, findings, left_out
from cli.doctor.facts import Account, Facts, Identity, Schedule, Subscriber, Switch, Unseen
from cli.local.deploy import ROOT
from cli.secret_forms import FORMS, fault_of
from cli.stacks import Found
from cli.webhooks import CAN_LIST, Hook, events_of
from keypost.clients.secrets import NAMES
from keypost.core.errors import KeypostError
from keypost.core.said import said
from tests.builders import NOW
from tests.recorded_aws import Session, client_of

API = "https://a1.execute-api.eu-west-1.amazonaws.com/v1"
STRIPE_HOOK = Hook(f"{API}/callbacks/stripe", True, frozenset(events_of("stripe")))
DENIED = Unseen(said("may_not_read", action="GetAccount"))
RIGHT = Facts(
    name="keypost-test",
    option=" --stack keypost-test",
    is_emulated=False,
    parameters={"Stage": "test", "MailDomain": "mail.shop.example", "SupportAddress": "help@shop.example"},
    api_url=API,
    status="CREATE_COMPLETE",
    own_version="1.2.0",
    version="1.2.0",
    identity=Identity(True, "SUCCESS", "bounce.mail.shop.example", "SUCCESS"),
    dmarc="v=DMARC1; p=none",
    account=Account(True, True, "HEALTHY"),
    concurrency=1000,
    secrets={"stripe_signing": None, "stripe_api_key": None},
    hooks={"stripe": (STRIPE_HOOK,)},
    schedules=tuple(Schedule(f"schedule-{n}", True) for n in range(4)),
    triggers=(Switch("AdvanceOrdersPoked", True, "aws lambda x"),),
    rules=(Switch("MailEventsRule", True, "aws events x"),),
    mail_events=(Switch("MailEvents", True, "aws sesv2 x"),),
    seconds_off=1.0,
    overdue=0,
    stock={"A": 5},
    subscribers=(Subscriber("night@shop.example", True, "arn:aws:sns:topic"),),
    suppressed=None,
)


def wrong(**changes: Any) -> list[tuple[str, str, str]]:
    """The check, the code and the command of each finding that is not right."""
    found = findings(replace(RIGHT, **changes))
    return [(each.check, each.why.code, each.mend) for each in found if each.state is not State.RIGHT]


def test_of_a_stack_that_is_ready_every_check_finds_something_that_is_right() -> None:
    found = list(findings(RIGHT))

    assert [each.check for each in found] == list(CHECKS)
    assert {(each.state, each.mend) for each in found} == {(State.RIGHT, "")}
    assert left_out(RIGHT) == []


STACK = " --stack keypost-test"


@pytest.mark.parametrize(
    ("changes", "check", "code", "mend"),
    [
        ({"version": "1.3.0"}, "version", "command_is_older", "git pull && make install"),
        ({"version": "newest"}, "version", "command_is_older", "git pull && make install"),
        ({"version": "1.1.9"}, "version", "stack_is_older", f"keypost setup deploy{STACK}"),
        ({"version": None}, "version", "stack_is_older", f"keypost setup deploy{STACK}"),
        ({"dmarc": None}, "dmarc", "dmarc_is_missing", f"keypost setup dns{STACK}"),
        ({"secrets": {}}, "secrets", "no_provider_may_call", f"keypost setup webhooks{STACK}"),
        (
            {"secrets": {"mollie_token": None}},
            "secrets",
            "key_is_missing",
            f"keypost secrets set mollie_api_key{STACK}",
        ),
        (
            {"parameters": {**RIGHT.parameters, "EventsUrl": "https://shop.example/keypost"}},
            "secrets",
            "events_are_not_signed",
            f"keypost secrets generate events_signing{STACK}",
        ),
        (
            {"secrets": {"stripe_signing": said("secret_of_wrong_kind", name="stripe_signing", form="whsec_...")}},
            "secrets",
            "secret_of_wrong_kind",
            f"keypost secrets set stripe_signing{STACK}",
        ),
        (
            {"secrets": {"mollie_token": None, "mollie_api_key": said("mollie_profile_missing")}},
            "secrets",
            "mollie_profile_missing",
            f"keypost setup answers{STACK}",
        ),
        ({"hooks": {"stripe": ()}}, "webhooks", "webhook_is_missing", f"keypost setup webhooks{STACK}"),
        (
            {"hooks": {"stripe": (replace(STRIPE_HOOK, url=f"{API}/callbacks/other"),)}},
            "webhooks",
            "webhook_is_missing",
            f"keypost setup webhooks{STACK}",
        ),
        (
            {"hooks": {"stripe": (replace(STRIPE_HOOK, is_on=False),)}},
            "webhooks",
            "webhook_is_off",
            f"keypost setup webhooks{STACK}",
        ),
        (
            {"hooks": {"stripe": (replace(STRIPE_HOOK, events=STRIPE_HOOK.events - {"invoice.paid"}),)}},
            "webhooks",
            "webhook_lacks_events",
            f"keypost setup webhooks{STACK}",
        ),
        (
            {"schedules": (*RIGHT.schedules[1:], Schedule("daily", False))},  # type: ignore[index]
            "clocks",
            "schedule_is_off",
            "aws scheduler get-schedule --name daily",
        ),
        ({"schedules": ()}, "clocks", "schedules_are_missing", f"keypost setup deploy{STACK}"),
        ({"triggers": (Switch("SendAgainWished", False, "aws a"),)}, "switches", "switch_is_off", "aws a"),
        ({"rules": (Switch("MailEventsRule", False, "aws b"),)}, "switches", "switch_is_off", "aws b"),
        ({"mail_events": (Switch("MailEvents", False, "aws c"),)}, "switches", "switch_is_off", "aws c"),
        ({"seconds_off": -61.0}, "clocks", "own_clock_is_off", "timedatectl set-ntp true"),
        ({"overdue": 2}, "clocks", "orders_are_overdue", f"keypost due --days 0{STACK}"),
        ({"stock": {}}, "products", "no_product", f"keypost products apply products.toml{STACK}"),
        (
            {"stock": {"A": 5, "B": 0}},
            "stock",
            "no_free_code",
            f"keypost stock import codes.csv --sku B{STACK}",
        ),
        ({"subscribers": ()}, "alarms", "nobody_gets_alarms", f"keypost setup answers{STACK}"),
        (
            {"subscribers": (Subscriber("night@shop.example", False, "arn:t"),)},
            "alarms",
            "alarm_address_is_unconfirmed",
            "aws sns subscribe --topic-arn arn:t --protocol email --notification-endpoint night@shop.example",
        ),
        (
            {"suppressed": "BOUNCE"},
            "note",
            "note_address_is_suppressed",
            "aws sesv2 delete-suppressed-destination --email-address help@shop.example",
        ),
    ],
)
def test_each_thing_that_is_not_right_is_found_with_the_command_that_mends_it(
    changes: dict[str, Any], check: str, code: str, mend: str
) -> None:
    assert wrong(**changes) == [(check, code, mend)]


@pytest.mark.parametrize(
    ("identity", "found"),
    [
        (None, ["domain_unknown_to_ses", "mail_from_is_not_set"]),
        (Identity(False, "PENDING", "bounce.x", "PENDING"), ["dkim_is_missing", "mail_from_is_missing"]),
        (Identity(True, "FAILED", "bounce.x", "SUCCESS"), ["dkim_is_missing"]),
        (Identity(True, "SUCCESS", "bounce.x", "FAILED"), ["mail_from_has_failed"]),
        (Identity(True, "SUCCESS", "", "PENDING"), ["mail_from_is_not_set"]),
        (Identity(True, "TEMPORARY_FAILURE", "bounce.x", "SUCCESS"), []),  # SES goes on for some days
    ],
)
def test_the_mail_domain_is_looked_at_record_by_record(identity: Identity | None, found: list[str]) -> None:
    assert [code for _, code, _ in wrong(identity=identity)] == found


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (Account(False, True, "HEALTHY"), "ses_is_a_sandbox"),
        (Account(False, True, "HEALTHY", "DENIED"), "ses_is_a_sandbox"),
        (Account(False, True, "HEALTHY", "PENDING"), "sandbox_is_in_review"),
        (Account(True, False, "HEALTHY"), "ses_has_paused_us"),
        (Account(True, True, "PROBATION"), "ses_has_paused_us"),
    ],
)
def test_an_account_that_may_not_send_to_everybody_is_found(account: Account, code: str) -> None:
    assert [(check, found) for check, found, _ in wrong(account=account)] == [("account", code)]


@pytest.mark.parametrize(("count", "is_enough"), [(10, False), (99, False), (100, True)])
def test_a_new_account_of_ten_functions_at_once_is_found(count: int, is_enough: bool) -> None:
    found = wrong(concurrency=count)

    assert (found == []) is is_enough
    assert is_enough or "L-B99A9384" in found[0][2]


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name keypost-test"),
        ("REVIEW_IN_PROGRESS", "aws cloudformation delete-stack --stack-name keypost-test"),
        ("DELETE_FAILED", "aws cloudformation delete-stack --stack-name keypost-test"),
        ("CREATE_IN_PROGRESS", f"keypost doctor{STACK}"),
    ],
)
def test_of_a_stack_that_is_half_there_only_that_is_told(status: str, mend: str) -> None:
    assert wrong(status=status, api_url="") == [("stack", "stack_is_not_whole", mend)]


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", f"keypost setup deploy{STACK}"),
        ("UPDATE_IN_PROGRESS", f"keypost doctor{STACK}"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name keypost-test"),
    ],
)
def test_of_a_stack_whose_update_failed_all_else_is_checked_too(status: str, mend: str) -> None:
    assert wrong(status=status, dmarc=None) == [
        ("stack", "stack_is_not_whole", mend),
        ("dmarc", "dmarc_is_missing", f"keypost setup dns{STACK}"),
    ]


@pytest.mark.parametrize("name", sorted({name for check in CHECKS.values() for name in check.reads}))
def test_what_cannot_be_read_is_told_and_all_else_is_checked(name: str) -> None:
    changes: dict[str, Any] = {name: DENIED}
    found = list(findings(replace(RIGHT, **changes)))
    unseen = {each.check for each in found if each.state is State.UNSEEN}

    assert unseen == {check for check, of in CHECKS.items() if name in of.reads}
    assert {each.check for each in found if each.state is State.RIGHT} == set(CHECKS) - unseen
    assert {each.why.code for each in found if each.state is State.UNSEEN} == {"may_not_read"}


def test_webhooks_that_a_key_may_not_see_are_told() -> None:
    hidden = Unseen(said("key_may_not_list_webhooks", provider="stripe"))

    assert wrong(hooks={"stripe": hidden}) == [("webhooks", "key_may_not_list_webhooks", "")]


def test_what_an_emulator_lacks_and_what_no_key_can_show_is_named_as_unchecked() -> None:
    facts = replace(RIGHT, is_emulated=True, account=DENIED, secrets={"mollie_signing": None}, hooks={})

    assert "account" not in [each.check for each in findings(facts)]
    assert left_out(facts) == [
        "identity", "mail_from", "dmarc", "account", "quotas", "alarms", "webhooks (mollie-events)",
    ]  # fmt: skip


def test_each_secret_has_a_form_and_each_provider_that_lists_webhooks_has_a_door() -> None:
    assert set(FORMS) == set(NAMES)
    assert set(CAN_LIST) <= {"stripe", "mollie-events", "woocommerce"}


@pytest.mark.parametrize(
    ("name", "value", "stage", "code"),
    [
        ("stripe_api_key", "rk_test_abc", "test", None),
        ("stripe_api_key", "sk_live_abc", "live", None),
        ("stripe_api_key", "sk_live_abc", "test", "secret_of_wrong_mode"),
        ("stripe_api_key", "rk_test_abc", "live", "secret_of_wrong_mode"),
        ("stripe_api_key", "pk_live_abc", "live", "secret_of_wrong_kind"),
        ("stripe_api_key", "rk_live_new rk_test_old", "live", "secret_of_wrong_mode"),
        ("stripe_signing", "rk_test_abc", "test", "secret_of_wrong_kind"),
        ("stripe_signing", "whsec_new whsec_old", "test", None),
        ("mollie_api_key", "test_abc", "test", None),
        ("mollie_api_key", "live_abc", "test", "secret_of_wrong_mode"),
        ("mollie_api_key", "test_abc", "live", "secret_of_wrong_mode"),
        ("mollie_api_key", "live_abc", "local", None),
        ("mollie_api_key", "access_abc", "live", None),
        ("mollie_api_key", "not a key", "test", "secret_of_wrong_kind"),
        ("mollie_token", "short", "test", "secret_of_wrong_kind"),
        ("woocommerce_api_key", "ck_1:cs_2", "live", None),
        ("woocommerce_api_key", "ck_1", "live", "secret_of_wrong_kind"),
    ],
)
def test_a_secret_of_the_wrong_kind_or_mode_is_known_by_its_form(
    name: str, value: str, stage: str, code: str | None
) -> None:
    fault = fault_of(name, value, stage)

    assert (fault and fault.code) == code
    assert value not in str(fault)


# What AWS's own command line calls otherwise than the API.
RENAMED = {"notification-endpoint": "endpoint"}
SOURCES = ("cli/doctor/checks.py", "cli/doctor/looking.py", "docs/deploying.md")


def commands_of_aws() -> list[tuple[str, str, frozenset[str]]]:
    """Each command of AWS's command line that we tell people to run: service, operation and options."""
    texts = [re.sub(r'"\n\s+"', "", (ROOT / path).read_text("utf-8")) for path in SOURCES]
    command = re.compile(r"\baws ([a-z0-9-]+) ([a-z-]+)((?: --[a-z-]+(?: [^-\s`\"][^\s`\"]*)?)*)")
    found = [each for text in texts for each in command.findall(text)]
    every = [(service, verb, frozenset(re.findall(r"--([a-z-]+)", rest))) for service, verb, rest in found]
    return sorted(set(every), key=str)


@pytest.mark.parametrize(("service", "verb", "options"), commands_of_aws())
def test_each_command_of_aws_that_we_name_exists_with_its_options(
    service: str, verb: str, options: frozenset[str]
) -> None:
    model = client_of(service).meta.service_model
    (operation,) = [name for name in model.operation_names if xform_name(name, "-") == verb]
    known = {xform_name(name, "-") for name in model.operation_model(operation).input_shape.members}

    assert {RENAMED.get(each, each) for each in options} <= known
    assert set(model.operation_model(operation).input_shape.required_members) <= {
        name
        for name in model.operation_model(operation).input_shape.members
        if xform_name(name, "-") in {RENAMED.get(each, each) for each in options}
    }


def test_those_commands_are_found() -> None:
    assert ("sns", "subscribe") in [(service, verb) for service, verb, _ in commands_of_aws()]
    assert len(commands_of_aws()) > 6


# ---------------------------------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------------------------------


KNOWN: dict[str, Any] = {
    "VerifiedForSendingStatus": True,
    "DkimAttributes": {"Status": "SUCCESS"},
    "MailFromAttributes": {
        "MailFromDomain": "bounce.mail.shop.example",
        "MailFromDomainStatus": "SUCCESS",
        "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
    },
}
ACCOUNT: dict[str, Any] = {
    "ProductionAccessEnabled": False,
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "Details": {"ReviewDetails": {"Status": "PENDING"}},
}
SUBSCRIPTION = {"Protocol": "email", "Endpoint": "night@shop.example", "SubscriptionArn": "PendingConfirmation"}
UUID = "0f1e2d3c-aaaa-bbbb-cccc-0123456789ab"
RESOURCES: list[dict[str, Any]] = [
    {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": UUID if name == "Poked" else f"arn:{name}"}
    | {"LastUpdatedTimestamp": NOW, "ResourceStatus": "CREATE_COMPLETE"}
    for kind, name in [
        ("AWS::SNS::Topic", "Alarms"),
        ("AWS::Scheduler::Schedule", "Daily"),
        ("AWS::Lambda::EventSourceMapping", "Poked"),
        ("AWS::Events::Rule", "Told"),
    ]
]
ANSWERS: dict[str, list[tuple[str, Any]]] = {
    "sesv2": [
        ("get_email_identity", KNOWN),
        ("get_account", ACCOUNT),
        ("get_suppressed_destination", "NotFoundException"),
    ],
    "lambda": [
        ("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 10}}),
        ("get_event_source_mapping", {"UUID": UUID, "State": "Disabled"}),
    ],
    "events": [("describe_rule", {"Name": "arn:Told", "State": "DISABLED"})],
    "cloudformation": [
        (
            "list_stack_resources",
            {
                "StackResourceSummaries": RESOURCES,
                "ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 23 Nov 2026 12:00:00 GMT"}},
            },
        )
    ],
    "scheduler": [("get_schedule", {"Name": "Daily", "State": "DISABLED"})],
    "sns": [("list_subscriptions_by_topic", {"Subscriptions": [SUBSCRIPTION]})],
}


def looked(answers: Mapping[str, list[tuple[str, Any]]]) -> Facts:
    """The facts of a stack without outputs, for which no table has to be there."""
    at = Found("keypost-test", Session(answers), "ROLLBACK_COMPLETE", {}, RIGHT.parameters)
    return looking.look(at, lambda _: [], datetime(2026, 11, 23, 12, 1, tzinfo=UTC))


def test_what_aws_says_is_read_as_it_says_it() -> None:
    facts = looked(ANSWERS)

    assert facts.identity == RIGHT.identity
    assert facts.account == Account(False, True, "HEALTHY", "PENDING")
    assert facts.concurrency == 10
    assert facts.schedules == (Schedule("Daily", False),)
    assert facts.triggers == (
        Switch("Poked", False, f"aws lambda update-event-source-mapping --uuid {UUID} --enabled"),
    )
    assert facts.rules == (Switch("Told", False, "aws events enable-rule --name arn:Told"),)
    assert facts.subscribers == (Subscriber("night@shop.example", False, "arn:Alarms"),)
    assert (facts.suppressed, facts.dmarc, facts.seconds_off) == (None, None, 60.0)
    assert facts.overdue == Unseen(said("stack_has_no_outputs"))


@pytest.mark.parametrize(
    ("service", "operation"), [(service, operation) for service, answers in ANSWERS.items() for operation, _ in answers]
)
def test_a_right_that_is_lacking_hides_only_what_it_is_for(service: str, operation: str) -> None:
    answers = [(each, "AccessDeniedException" if each == operation else answer) for each, answer in ANSWERS[service]]
    usual, facts = looked(ANSWERS), looked(ANSWERS | {service: answers})

    hidden = {name for name in Facts.__slots__ if getattr(facts, name) != getattr(usual, name)}
    found = {getattr(facts, name) for name in hidden}
    expected = "".join(part.capitalize() for part in operation.split("_"))
    assert found == {Unseen(said("may_not_read", action=expected))}
    assert len(hidden) == (5 if operation == "list_stack_resources" else 1)


def test_another_error_of_aws_is_told_by_its_name() -> None:
    facts = looked(ANSWERS | {"lambda": [("get_account_settings", "ServiceException"), ANSWERS["lambda"][1]]})

    assert facts.concurrency == Unseen(said("could_not_read", action="GetAccountSettings", error="ServiceException"))


def test_an_aws_that_does_not_answer_is_told() -> None:
    def silent() -> int:
        raise EndpointConnectionError(endpoint_url="https://lambda.example")

    assert looking._seen(silent) == Unseen(said("aws_unreachable", error="EndpointConnectionError"))


@pytest.mark.parametrize(
    ("zone", "record"),
    [
        ({}, None),
        ({"_dmarc.mail.shop.example": ["v=DMARC1; p=reject"]}, "v=DMARC1; p=reject"),
        ({"_dmarc.shop.example": ["other", "v = DMARC1; p=none"]}, "v = DMARC1; p=none"),
        ({"_dmarc.shop.example": ["v=spf1 -all"]}, None),
        ({"_dmarc.example": ["v=DMARC1; p=none"]}, None),  # nobody's own
    ],
)
def test_the_dmarc_record_is_that_of_the_domain_or_of_one_above_it(
    zone: dict[str, list[str]], record: str | None
) -> None:
    assert looking.dmarc("mail.shop.example", lambda name: zone.get(name, [])) == record


def test_a_dns_that_is_silent_does_not_stop_the_doctor() -> None:
    def silent(name: str) -> list[str]:
        raise KeypostError("dns_silent", name=name, error="Timeout")

    at = Found("keypost-test", Session(ANSWERS), "CREATE_COMPLETE", {}, RIGHT.parameters)
    facts = looking.look(at, silent, NOW)

    assert facts.dmarc == Unseen(said("dns_silent", name="_dmarc.mail.shop.example", error="Timeout"))
