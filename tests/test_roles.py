"""Whether each function may make the calls that it makes: those of tests/bench/calls.golden, which are recorded,
against its role in the translated template. The emulator lets everybody do everything."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.bench.calls import GOLDEN
from tests.translated import of_type, translated

# Which function makes the calls of an event, by how its name begins; the first that fits counts.
FUNCTIONS = {
    "callback, ": "PaymentCallback",
    "renewal, callback": "PaymentCallback",
    "renewal, poke": "AdvanceOrders",
    "resend, poke": "AdvanceOrders",
    "poke ": "AdvanceOrders",
    "feedback, ": "MailFeedback",
    "resend, asked by support": "SupportApi",
    "resend, asked on the customer's page": "SelfServicePage",
    "resend, granted": "SendAgain",
    "find_due_orders": "FindDueOrders",
    "reconcile_payments": "ReconcilePayments",
    "write_daily_note": "WriteDailyNote",
    "GET /": "SupportApi",
    "import of ": "SupportApi",
}
# The actions of which one at least is needed for an operation, where it does not have the action's name.
ACTIONS = {
    "GetAccount": {"ses:GetAccount"},
    "GetSecretValue": {"secretsmanager:GetSecretValue"},
    "GetSuppressedDestination": {"ses:GetSuppressedDestination"},
    "SendEmail": {"ses:SendEmail"},
    "SendMessage": {"sqs:SendMessage"},
    "SendMessageBatch": {"sqs:SendMessage"},
    "TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
}


# The rights that no recorded event needs, and what needs them.
NEEDED_BY = {
    ("AdvanceOrders", "RemoveWhatWasSetAside"): "an order that can be read again",
    ("AdvanceOrders", "FindWhoIsForgotten"): "ForgetAfterYears",
    ("AdvanceOrders", "PokeForARetry"): "a mail that SES refused",
    ("AdvanceOrders", "SendTheMailAsMime"): "SES checks raw content under this name",
    ("DeliverEvents", "PutOffWhatIsNotTaken"): "events out, a shop that does not take an event",
    ("DeliverEvents", "KnowWhetherTheAddressIsGone"): "events out",
    ("DeliverEvents", "RememberThatItIsGone"): "events out, a shop that answers 410",
    ("DeliverEvents", "SignTheCalls"): "events out",
    ("FindDueOrders", "PokeTheOrders"): "an order that is due",
    ("FindDueOrders", "KnowTheStart"): "the first run after a deploy",
    ("FindDueOrders", "WriteDownTheStart"): "the first run after a deploy",
    ("FindDueOrders", "KnowHowFastMailsLeave"): "planned orders that are let out",
    ("GuidePage", "KnowWhichProductsThereAre"): "the guide",
    ("GuidePage", "LoadTheProducts"): "the guide",
    ("ReconcilePayments", "LoadTheOrder"): "a payment that no callback reported",
    ("ReconcilePayments", "WriteDownThePayment"): "a payment that no callback reported",
    ("ReconcilePayments", "FindTheOrdersOfTheCustomer"): "such a payment at Moneybird",
    ("ReconcilePayments", "PokeTheOrder"): "a payment that no callback reported",
    ("ReconcilePayments", "AskTheProviders"): "a provider whose key is set",
    ("RemindersPage", "FindWhoseTheLinkIs"): "a link in a reminder",
    ("RemindersPage", "StopReminders"): "a link in a reminder",
    ("SupportApi", "LiftASuppression"): "scope suppression",
    ("SupportAuth", "LoadTheKey"): "each call with a key",
    ("SupportAuth", "NoteTheDayOfUse"): "the first call of a day",
    ("TellEvents", "NameWhatIsLost"): "Lambda itself, once a change has failed for a day",
    ("TellEvents", "PutOnTheBus"): "events out",
    ("TellEvents", "PutIntoTheQueue"): "events out",
    ("WriteDailyNote", "TellOfLowStock"): "events out, a product that is to be ordered",
    ("WriteDailyNote", "SendTheNote"): "a day with something to say",
    ("WriteDailyNote", "SendTheNoteAsMime"): "SES checks raw content under this name",
}


@pytest.fixture
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return translated(template)


def recorded() -> Iterator[tuple[str, str, str]]:
    """Event, operation and kind of item (or index) of each recorded call."""
    for event in GOLDEN.read_text("utf-8").split("\n\n"):
        name, *lines = event.splitlines()
        for line in lines:
            operation, _, about = line[6:].partition("  ")[0].partition(" ")  # behind how often, before what it costs
            if operation[0].isupper():
                index = re.match(r"index (\w+)", about)
                kinds = [f"index/{index[1]}"] if index else re.findall(r"\b[A-Z]{2,}\b", about) or [""]
                yield from ((name, operation, kind) for kind in kinds)


def function_of(event: str) -> str:
    return next(function for prefix, function in FUNCTIONS.items() if event.startswith(prefix))


def allows(statement: Mapping[str, Any], actions: set[str], kind: str) -> bool:
    if statement["Effect"] != "Allow" or statement["Action"] not in actions:
        return False
    if kind.startswith("index/"):
        return kind in str(statement["Resource"])
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", "*")
    return any(
        fnmatchcase(key, each) for each in ([keys] if isinstance(keys, str) else keys) for key in (kind, f"{kind}#x")
    )


def refused(resources: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Function, operation and kind of each recorded call that the function's role does not allow."""
    return {
        (function, operation, kind)
        for event, operation, kind in recorded()
        for function in [function_of(event)]
        if not any(allows(each, actions_of(operation), kind) for each in statements_of(resources, function))
    }


def unused(resources: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Function and name of each right that no recorded call needs; the rights that SAM gives have no name."""
    calls = {(function_of(event), operation, kind) for event, operation, kind in recorded()}
    return {
        (function, each["Sid"])
        for function in of_type(resources, "AWS::Lambda::Function")
        for each in statements_of(resources, function)
        if each["Effect"] == "Allow" and "Sid" in each
        if not any(by == function and allows(each, actions_of(operation), kind) for by, operation, kind in calls)
    }


def statements_of(resources: Mapping[str, Any], function: str) -> list[Mapping[str, Any]]:
    role = resources[f"{function}Role"]["Properties"].get("Policies", [])
    return [each for policy in role for each in policy["PolicyDocument"]["Statement"]]


def actions_of(operation: str) -> set[str]:
    return ACTIONS.get(operation, {f"dynamodb:{operation}"})


def test_every_recorded_call_is_allowed_to_its_function(resources: dict[str, Any]) -> None:
    assert refused(resources) == set()


def test_every_right_is_needed_by_a_recorded_call_or_by_what_is_named_here(resources: dict[str, Any]) -> None:
    assert unused(resources) == set(NEEDED_BY)


def test_each_function_that_calls_aws_is_among_those_that_are_recorded() -> None:
    assert {function_of(event) for event, _, _ in recorded()} == set(FUNCTIONS.values())


@pytest.mark.parametrize(
    ("function", "sid", "missing"),
    [
        ("SupportApi", "PokeTheOrders", ("SupportApi", "SendMessageBatch", "")),
        ("SelfServicePage", "WriteDownTheWish", ("SelfServicePage", "PutItem", "WISH")),
        ("AdvanceOrders", "FindFreeCodes", ("AdvanceOrders", "Query", "index/stock")),
    ],
)
def test_a_right_that_is_taken_away_would_be_missed(
    resources: dict[str, Any], function: str, sid: str, missing: tuple[str, str, str]
) -> None:
    less = deepcopy(resources)
    for policy in less[f"{function}Role"]["Properties"]["Policies"]:
        statements = policy["PolicyDocument"]["Statement"]
        policy["PolicyDocument"]["Statement"] = [each for each in statements if each.get("Sid") != sid]

    assert missing in refused(less)
