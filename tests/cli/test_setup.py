"""`keypost setup`: its questions, what it finds in an account before it changes anything, and each of its steps."""

import stat
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.doctor.facts import Identity
from cli.local.fake_providers import (
    MOLLIE_KEY,
    MOLLIE_TOKEN,
    STRIPE_KEY,
    STRIPE_READING_KEY,
    FakeProviders,
    fake_providers,
)
from cli.local.stack import LocalStack
from cli.main import cli
from cli.setup import account, deploying, dns, doors, greeting
from cli.setup.answers import Answers, load, save
from cli.setup.command import look_at_account, tell_waiting
from cli.setup.dns import Record, Seen
from cli.setup.questions import (
    QUESTIONS,
    answer_to,
    fault_of,
    fault_of_region,
    is_in_the_eu,
    of_stack,
    unanswered,
    with_answer,
)
from cli.speech import Speech
from cli.stacks import Found, Stack
from cli.versions import OWN
from keypost.clients.mailer import Mailer
from keypost.core.errors import KeypostError
from keypost.core.mail import MailSent
from keypost.core.said import Said, said
from keypost.words import LANGUAGES, reader, sentence
from tests.builders import NOW, ZONE
from tests.recorded_aws import Session

PARAMETERS = {
    "Stage": "test",
    "ShopName": 'Voorbeeld "Software" & Zoon',
    "ShopAddress": "Straat 1 = hoek, Ámsterdam",
    "ShopKvk": "",
    "MailDomain": "mail.shop.example",
    "SupportAddress": "help@shop.example",
    "AlarmAddress": "help@shop.example",
    "SupportLanguage": "nl",
    "ShopLanguage": "nl",
    "EventsUrl": "",
    "HeartbeatUrl": "",
}
ANSWERS = Answers("keypost-test", "eu-west-1", ("stripe",), PARAMETERS)
API = "https://a1.execute-api.eu-west-1.amazonaws.com/v1"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


# ---------------------------------------------------------------------------------------------------------------------
# The answers
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [ANSWERS, replace(ANSWERS, providers=None), replace(ANSWERS, greeted=True)])
def test_answers_are_kept_as_they_were_given_for_their_owner_only(answers: Answers) -> None:
    save(answers)

    assert load("keypost-test") == answers
    assert stat.S_IMODE(answers.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(answers.path.parent.stat().st_mode) == 0o700


def test_the_file_is_one_that_sam_deploys_with() -> None:
    save(ANSWERS)

    deploy = tomllib.loads(ANSWERS.path.read_text())["default"]["deploy"]["parameters"]
    assert (deploy["stack_name"], deploy["region"], deploy["resolve_s3"]) == ("keypost-test", "eu-west-1", True)
    assert deploy["parameter_overrides"][:2] == ['Stage="test"', 'ShopName="Voorbeeld \\"Software\\" & Zoon"']


def test_git_ignores_the_answers() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()

    assert str(ANSWERS.path.parent) in ignored


def test_without_a_file_there_is_no_answer() -> None:
    assert load("keypost-test") == Answers("keypost-test")
    assert [each.name for each in unanswered(load("keypost-test"))][:2] == ["Stage", "region"]
    assert list(unanswered(ANSWERS)) == []


@pytest.mark.parametrize("content", ["", "[default", "[keypost]\ngreeted = true\n", "\udcff"])
def test_a_damaged_file_is_told(content: str) -> None:
    save(ANSWERS)
    ANSWERS.path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(KeypostError, match="answers_damaged"):
        load("keypost-test")


def test_a_question_that_hangs_on_an_answer_is_asked_only_then() -> None:
    asked = {each.name for each in unanswered(replace(ANSWERS, providers=("mollie-events", "woocommerce")))}

    assert asked == {"MollieProfile", "WooCommerceUrl"}


def test_what_was_answered_stays_when_nothing_is_typed_and_a_dash_empties_what_may_be_empty() -> None:
    monitor = ANSWERS.with_parameter("HeartbeatUrl", "https://monitor.example/keypost").with_parameter(
        "ShopKvk", "12345678"
    )
    save(monitor)
    lines = {"HeartbeatUrl": "-", "ShopName": "-\n"}  # a name has to be: it is asked again
    typed = [lines.get(question.name, "") for question in QUESTIONS if question.is_asked(monitor)]

    ended = CliRunner().invoke(cli, ["setup", "answers"], input="\n".join(typed) + "\n", obj=Speech("en"))

    assert ended.exit_code == 0, ended.output
    assert ended.output.count("Type - for none.") == 3  # ShopKvk, AlarmAddress, HeartbeatUrl
    assert "ShopName must not be empty." in ended.output
    assert dict(load("keypost-test").parameters) == {**monitor.parameters, "HeartbeatUrl": ""}


def test_each_answer_is_found_where_it_was_put() -> None:
    for question in QUESTIONS:
        assert answer_to(question.name, with_answer(question.name, "x", Answers("keypost-test"))) == "x"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("Stage", "test", None),
        ("Stage", "", "answer_unfit"),
        ("Stage", "production", "answer_unfit"),
        ("Stage", "local", "stage_local_is_here_only"),
        ("ShopName", "", "answer_is_empty"),
        ("ShopAddress", "", "answer_is_empty"),
        ("ShopAddress", "Straat 1\x00", "answer_unfit"),
        ("ShopKvk", "", None),
        ("ShopKvk", "1234", "answer_unfit"),
        ("MailDomain", "mail.shop.example", None),
        ("MailDomain", "", "not_a_domain"),
        ("MailDomain", "mail", "not_a_domain"),
        ("MailDomain", "mail.Shop.example", "answer_unfit"),
        ("SupportAddress", "", "answer_is_empty"),
        ("SupportAddress", "Help <help@shop.example>", "answer_unfit"),
        ("providers", "", "choose_providers"),
        ("providers", "stripe, paypal", "choose_providers"),
        ("providers", "stripe, mollie-events", None),
        ("region", "eu-west-1", None),
        ("region", "us-gov", "no_such_region"),
        ("region", "", "no_such_region"),
    ],
)
def test_an_answer_that_cannot_be_is_told_before_anything_is_changed(name: str, value: str, code: str | None) -> None:
    fault = fault_of(name, value)

    assert (fault and fault.code) == code


def test_a_region_without_ses_is_told() -> None:
    assert fault_of_region("eu-new-1", {"eu-new-1"}, {"eu-west-1"}) == said("region_without_ses", region="eu-new-1")


@pytest.mark.parametrize(
    ("region", "is_inside"), [("eu-west-1", True), ("eu-west-2", False), ("eu-central-2", False), ("us-east-1", False)]
)
def test_the_regions_of_the_eu_are_known(region: str, is_inside: bool) -> None:
    assert is_in_the_eu(region) is is_inside


def test_the_answers_of_a_stack_that_was_deployed_by_hand_are_those_with_which_it_stands() -> None:
    there = PARAMETERS | {"SenderName": "licenties", "MailsPerSecond": "14", "ShopPhone": "020 123 45 67", "Old": "x"}

    answers = of_stack("keypost-test", "eu-west-1", there)

    assert answers == Answers("keypost-test", "eu-west-1", None, PARAMETERS | {"ShopPhone": "020 123 45 67"})
    assert [each.name for each in unanswered(answers)] == ["providers"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_says_the_sense_of_its_answer(language: str) -> None:
    senses = [sentence(each.sense, reader(language, ZONE)) for each in QUESTIONS]

    assert min(map(len, senses)) > 40


# ---------------------------------------------------------------------------------------------------------------------
# The account
# ---------------------------------------------------------------------------------------------------------------------

THERE = Found("keypost-test", None, "CREATE_COMPLETE", {"Version": OWN}, PARAMETERS)
DELETE = "aws cloudformation delete-stack --stack-name keypost-test"
VERIFIED = Identity(True, "SUCCESS", "", "")


@pytest.mark.parametrize(
    ("there", "identity", "found"),
    [
        (None, None, []),
        (THERE, VERIFIED, []),  # the identity is its own
        (None, VERIFIED, [("domain_is_an_identity_already", "")]),
        (replace(THERE, parameters=PARAMETERS | {"MailIdentity": "existing"}), VERIFIED,
         [("domain_is_an_identity_already", "")]),
        (replace(THERE, status="ROLLBACK_COMPLETE"), None, [("stack_is_not_whole", DELETE)]),
        (replace(THERE, status="DELETE_FAILED"), None, [("stack_is_not_whole", DELETE)]),
        (replace(THERE, status="UPDATE_ROLLBACK_COMPLETE"), None, []),
        (replace(THERE, status="UPDATE_ROLLBACK_FAILED"), None,
         [("stack_is_not_whole", "aws cloudformation continue-update-rollback --stack-name keypost-test")]),
        (replace(THERE, status="UPDATE_IN_PROGRESS"), None,
         [("stack_is_not_whole", "keypost doctor --stack keypost-test")]),
        (replace(THERE, parameters=PARAMETERS | {"Stage": "live"}), None, [("stack_is_of_other_stage", "")]),
        (replace(THERE, parameters=PARAMETERS | {"MailDomain": "mail.old.example"}), None,
         [("mail_domain_would_change", "")]),
        (replace(THERE, parameters=PARAMETERS | {"MailDomain": "mail.old.example"}), replace(VERIFIED, verified=False),
         [("mail_domain_would_change", ""), ("domain_is_an_identity_already", "")]),
        (replace(THERE, parameters=PARAMETERS | {"MailDomain": "mail.old.example"}), VERIFIED,
         [("domain_is_an_identity_already", "")]),  # a question, after which it is shared
        (replace(THERE, outputs={"Version": "99.0"}), None, [("stack_is_newer", "git pull && make install")]),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_told_before_anything_is_changed(
    there: Found | None, identity: Identity | None, found: list[tuple[str, str]]
) -> None:
    obstacles = account.obstacles(ANSWERS, there, identity)

    assert [(why.code, mend) for why, mend in obstacles] == found


def test_a_domain_that_is_shared_stands_not_in_the_way() -> None:
    shared = ANSWERS.with_parameter("MailIdentity", "existing")

    assert list(account.obstacles(shared, None, VERIFIED)) == []


def test_a_stack_moves_to_a_domain_that_ses_has_verified_already() -> None:
    old = replace(THERE, parameters=PARAMETERS | {"MailDomain": "mail.old.example"})

    assert list(account.obstacles(ANSWERS.with_parameter("MailIdentity", "existing"), old, VERIFIED)) == []


LIVE = ANSWERS.with_parameter("Stage", "live")
LIVE_THERE = replace(THERE, parameters=PARAMETERS | {"Stage": "live", "TableProtection": "on"})


@pytest.mark.parametrize(
    ("answers", "there", "protection"),
    [
        (LIVE, None, ["off", "on"]),
        (LIVE, LIVE_THERE, ["on"]),
        (LIVE.with_parameter("TableProtection", "off"), LIVE_THERE, ["on"]),  # the second deploy did not come about
        (ANSWERS, None, [None]),
        (ANSWERS, THERE, [None]),
    ],
)
def test_the_table_of_a_live_stack_is_protected_once_it_stands_so_that_a_failed_deploy_leaves_none_behind(
    answers: Answers, there: Found | None, protection: list[str | None]
) -> None:
    turns = deploying.in_turn(answers, there)

    assert [each.parameters.get("TableProtection") for each in turns] == protection
    same = answers.with_parameter("TableProtection", "")
    assert all(each.with_parameter("TableProtection", "") == same for each in turns)


def test_a_live_stack_whose_table_is_not_protected_yet_is_deployed_again() -> None:
    half = replace(LIVE_THERE, parameters={**LIVE_THERE.parameters, "TableProtection": "off"})
    (answers,) = deploying.in_turn(LIVE, half)

    assert not deploying.is_as_answered(answers, half, OWN)
    assert deploying.is_as_answered(answers, LIVE_THERE, OWN)


EMPTY_ACCOUNT: dict[str, list[tuple[str, Any]]] = {
    "sts": [("get_caller_identity", {"Account": "123456789012"})],
    "cloudformation": [("describe_stacks", "ValidationError")],
    "sesv2": [("get_email_identity", "NotFoundException")],
}


def test_an_empty_account_is_ready() -> None:
    assert look_at_account(Session(EMPTY_ACCOUNT), ANSWERS) == (None, ANSWERS)


@pytest.mark.parametrize("service", EMPTY_ACCOUNT)
def test_a_right_that_is_missing_is_named_before_anything_is_changed(service: str) -> None:
    ((operation, _),) = EMPTY_ACCOUNT[service]

    with pytest.raises(KeypostError, match="rights_are_missing") as refused:
        look_at_account(Session(EMPTY_ACCOUNT | {service: [(operation, "AccessDenied")]}), ANSWERS)
    assert refused.value.said.values["action"] == "".join(part.capitalize() for part in operation.split("_"))


def test_all_that_stands_in_the_way_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    stands = PARAMETERS | {"Stage": "live", "MailDomain": "mail.old.example"}
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in stands.items()]
    there = {"StackName": "keypost-test", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE", "Parameters": given}
    answers = [("describe_stacks", {"Stacks": [there]})]

    with pytest.raises(KeypostError, match="setup_stopped") as stopped:
        look_at_account(Session(EMPTY_ACCOUNT | {"cloudformation": answers}), ANSWERS)
    assert stopped.value.said.values == {"count": 2}
    assert len(capsys.readouterr().err.splitlines()) == 2


# ---------------------------------------------------------------------------------------------------------------------
# DNS
# ---------------------------------------------------------------------------------------------------------------------

OUTPUTS = {
    "DkimRecord1": "abc._domainkey.mail.shop.example CNAME abc.dkim.amazonses.com",
    "MailFromMx": "bounce.mail.shop.example MX 10 feedback-smtp.eu-west-1.amazonses.com",
    "MailFromSpf": 'bounce.mail.shop.example TXT "v=spf1 include:amazonses.com ~all"',
}


def test_the_records_are_those_of_the_outputs_and_dmarc_and_stand_in_a_zone_file_too() -> None:
    found = [*dns.own_records(OUTPUTS), dns.dmarc_record("mail.shop.example", "help@shop.example")]

    assert [each.line for each in found] == [
        "abc._domainkey.mail.shop.example. 3600 IN CNAME abc.dkim.amazonses.com.",
        "bounce.mail.shop.example. 3600 IN MX 10 feedback-smtp.eu-west-1.amazonses.com.",
        'bounce.mail.shop.example. 3600 IN TXT "v=spf1 include:amazonses.com ~all"',
        '_dmarc.mail.shop.example. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:help@shop.example"',
    ]


@pytest.mark.parametrize(
    ("dkim", "found"),
    [
        ({"Tokens": ["abc"]}, [Record("abc._domainkey.mail.shop.example", "CNAME", "abc.dkim.amazonses.com")]),
        (
            {"Tokens": ["abc"], "SigningHostedZone": "dkim.eu-new-1.example"},
            [Record("abc._domainkey.mail.shop.example", "CNAME", "abc.dkim.eu-new-1.example")],
        ),
        ({"Tokens": ["selector"], "SigningAttributesOrigin": "EXTERNAL"}, []),
    ],
)
def test_of_a_domain_that_is_shared_only_dkim_is_shown(dkim: dict[str, Any], found: list[Record]) -> None:
    ses = Session({"sesv2": [("get_email_identity", {"DkimAttributes": dkim})]}).client("sesv2")

    assert dns.shared_records(ses, "mail.shop.example") == found


NOTHING, DKIM, ALL = Seen(False, False, False), Seen(True, False, False), Seen(True, True, True)


def test_the_wait_for_the_records_tells_each_change_and_ends_when_all_are_there() -> None:
    looks, pauses = iter([NOTHING, NOTHING, DKIM, ALL]), list[float]()

    assert list(dns.wait(lambda: next(looks), 3600, pauses.append)) == [NOTHING, DKIM, ALL]
    assert pauses == [15.0] * 3
    assert DKIM.missing == ["MAIL FROM", "DMARC"]


def test_the_wait_ends_after_its_time() -> None:
    pauses = list[float]()

    assert list(dns.wait(lambda: NOTHING, 60, pauses.append)) == [NOTHING]
    assert sum(pauses) == 60


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([ALL], ["all records have been seen"]),
        ([NOTHING, DKIM, ALL], ["not seen yet: DKIM", "not seen yet: MAIL FROM, DMARC", "all records have been seen"]),
        ([DKIM] * 5, ["not seen yet: MAIL FROM, DMARC", "Not all records have been seen yet."]),
    ],
)
def test_the_wait_says_what_is_missing_and_how_it_ended(
    looks: list[Seen], told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    each = iter(looks)

    tell_waiting(lambda: next(each), 1, lambda _: None)

    printed = capsys.readouterr()
    lines = [*printed.out.splitlines(), *printed.err.splitlines()]
    assert [line[: len(begin)] for line, begin in zip(lines, told, strict=True)] == told


IDENTITY: dict[str, Any] = {"VerifiedForSendingStatus": True, "DkimAttributes": {"Status": "SUCCESS"}}


def known(mail_from_status: str) -> tuple[str, Any]:
    back = {"MailFromDomain": "bounce.mail.shop.example", "MailFromDomainStatus": mail_from_status}
    return "get_email_identity", IDENTITY | {"MailFromAttributes": back | {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}}


def test_what_ses_and_the_dns_have_seen_is_told_apart() -> None:
    ses = Session({"sesv2": [known("PENDING")]}).client("sesv2")

    assert dns.seen(ses, "mail.shop.example", lambda _: []) == Seen(True, False, False)
    ses = Session({"sesv2": [("get_email_identity", IDENTITY)]}).client("sesv2")
    assert dns.seen(ses, "mail.shop.example", lambda _: ["v=DMARC1;p=none"], is_own=False) == ALL


@pytest.mark.parametrize(("status", "again"), [("FAILED", True), ("PENDING", False), ("SUCCESS", False)])
def test_ses_looks_again_only_where_it_has_given_up(status: str, again: bool) -> None:
    put: list[tuple[str, Any]] = [("put_email_identity_mail_from_attributes", {})] if again else []
    ses = Session({"sesv2": [known(status), *put]}).client("sesv2")

    assert dns.look_again(ses, "mail.shop.example") is again
    Session.active["sesv2"].assert_no_pending_responses()


def test_an_identity_that_ses_does_not_know_has_nothing() -> None:
    ses = Session({"sesv2": [("get_email_identity", "NotFoundException")]}).client("sesv2")

    assert dns.seen(ses, "mail.shop.example", lambda _: []) == NOTHING


# ---------------------------------------------------------------------------------------------------------------------
# Providers
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[FakeProviders]:
    with fake_providers() as providers:
        yield providers


Open = Callable[..., list[str]]


@pytest.fixture
def opened(stack: Stack, fake: FakeProviders, capsys: pytest.CaptureFixture[str]) -> Open:
    """Open a door with these secrets typed in their turn; returns the codes of what was asked. Nothing that is typed is
    ever printed."""

    def open_door(provider: str, *typed: str) -> list[str]:
        keyboard, asked = iter(typed), list[str]()

        def ask(question: Said) -> str:
            asked.append(question.code)
            return next(keyboard)

        urls = {"StripeUrl": fake.url, "MollieUrl": fake.url}
        at = Found("keypost-test", None, "CREATE_COMPLETE", {"ApiUrl": API}, PARAMETERS | urls)
        doors.open_door(doors.Doors(at, stack, ask), provider)
        assert list(keyboard) == []
        printed = capsys.readouterr()
        assert [each for each in typed if each and each in printed.out + printed.err] == []
        return asked

    return open_door


def hooks_at(fake: FakeProviders, path: str) -> list[str]:
    return [hook["url"] for hook in fake.below(path)]


def test_a_key_that_may_make_webhooks_is_enough_and_a_second_run_changes_nothing(
    opened: Open, stack: Stack, fake: FakeProviders
) -> None:
    assert opened("stripe", STRIPE_KEY) == ["ask_key"]
    assert stack.secrets.names() == {"stripe_api_key", "stripe_signing"}
    assert hooks_at(fake, "/v1/webhook_endpoints") == [f"{API}/callbacks/stripe"]
    signing = stack.secrets.value("stripe_signing")

    assert opened("stripe") == []
    assert stack.secrets.value("stripe_signing") == signing
    assert hooks_at(fake, "/v1/webhook_endpoints") == [f"{API}/callbacks/stripe"]


def test_a_key_that_only_reads_is_kept_and_another_one_makes_the_webhook_and_is_not_kept(
    opened: Open, stack: Stack, fake: FakeProviders
) -> None:
    assert opened("stripe", STRIPE_READING_KEY, STRIPE_KEY) == ["ask_key", "ask_key_once"]

    assert stack.secrets.value("stripe_api_key") == STRIPE_READING_KEY
    assert stack.secrets.value("stripe_signing").startswith("whsec_")
    assert hooks_at(fake, "/v1/webhook_endpoints") == [f"{API}/callbacks/stripe"]


def test_without_such_a_key_the_webhook_is_made_by_hand_and_only_its_secret_is_asked(
    opened: Open, stack: Stack, fake: FakeProviders
) -> None:
    assert opened("stripe", STRIPE_READING_KEY, "", "whsec_by_hand") == ["ask_key", "ask_key_once", "ask_signing"]

    assert stack.secrets.value("stripe_signing") == "whsec_by_hand"
    assert hooks_at(fake, "/v1/webhook_endpoints") == []


def test_a_webhook_that_is_there_is_not_made_twice_when_its_secret_was_lost(
    opened: Open, stack: Stack, fake: FakeProviders
) -> None:
    opened("stripe", STRIPE_KEY)
    stack.secrets.set("stripe_signing", "")

    assert opened("stripe", "whsec_seen_there") == ["ask_signing"]
    assert stack.secrets.value("stripe_signing") == "whsec_seen_there"
    assert len(hooks_at(fake, "/v1/webhook_endpoints")) == 1


@pytest.mark.parametrize("key", ["pk_test_public", "rk_live_other_mode", MOLLIE_KEY])
def test_a_key_of_the_wrong_kind_or_mode_is_refused_and_asked_again(opened: Open, stack: Stack, key: str) -> None:
    assert opened("stripe", key, STRIPE_KEY) == ["ask_key", "ask_key"]
    assert stack.secrets.value("stripe_api_key") == STRIPE_KEY


def test_nothing_typed_sets_nothing(opened: Open, stack: Stack) -> None:
    assert opened("stripe", "", "") == ["ask_key", "ask_signing"]
    assert opened("moneybird", "", "") == ["ask_key", "ask_signing"]
    assert stack.secrets.names() == set()


def test_mollie_makes_a_webhook_for_an_access_token_and_none_for_a_key_of_a_profile(
    opened: Open, stack: Stack, fake: FakeProviders
) -> None:
    assert opened("mollie-events", MOLLIE_KEY, "by_hand_secret") == ["ask_key", "ask_signing"]
    assert hooks_at(fake, "/v2/webhooks") == []
    for name in ("mollie_api_key", "mollie_signing"):
        stack.secrets.set(name, "")

    assert opened("mollie-events", MOLLIE_TOKEN) == ["ask_key"]
    (made,) = fake.below("/v2/webhooks")
    assert (made["url"], made["mode"]) == (f"{API}/callbacks/mollie-events", "test")
    assert len(stack.secrets.value("mollie_signing")) == 32


def test_a_provider_that_is_down_stops_nothing(opened: Open, stack: Stack, fake: FakeProviders) -> None:
    fake.trouble = lambda: (503, {}, b"{}")

    assert opened("stripe", STRIPE_KEY, "whsec_by_hand") == ["ask_key", "ask_signing"]
    assert stack.secrets.names() == {"stripe_api_key", "stripe_signing"}


@pytest.mark.parametrize(("provider", "asked"), [("mollie", ["ask_key"]), ("webhook", [])])
def test_a_secret_that_keypost_makes_is_left_to_the_command_that_shows_it(
    opened: Open, stack: Stack, provider: str, asked: list[str]
) -> None:
    assert opened(provider, *[""] * len(asked)) == asked
    assert stack.secrets.names() == set()


def test_a_provider_without_an_api_for_webhooks_gets_its_secret(opened: Open, stack: Stack) -> None:
    assert opened("woocommerce", "ck_1:cs_2", "a_long_secret") == ["ask_key", "ask_signing"]
    assert stack.secrets.names() == {"woocommerce_api_key", "woocommerce_signing"}


# ---------------------------------------------------------------------------------------------------------------------
# The first mail
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_mail_goes_to_the_operator_in_the_language_of_the_note(
    stack: Stack, local: LocalStack, language: str
) -> None:
    client: Any = local.session.session.client("sesv2", endpoint_url=local.mailbox.url)
    to = replace(stack, mailer=Mailer(client, "test"))

    assert isinstance(greeting.greet(to, "help@shop.example", "keypost-test", language), MailSent)

    (mail,) = local.mailbox.mails
    assert (mail.to, mail.tags["order"]) == (("help@shop.example",), "none")
    assert "keypost-test" in mail.subject
    assert stack.sender in mail.text
