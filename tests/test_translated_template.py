"""What AWS gets of template.yaml: the template that SAM makes of it, for each stage and with each optional part."""

import re
from collections.abc import Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from tests.translated import (
    Stack,
    conditions_with,
    metrics_of,
    names_in,
    of_type,
    replaced_by,
    stack_with,
    whole,
)

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c-aaaa-bbbb-cccc-0123456789ab"
STAGES = {
    "live": {"Stage": "live", "Emulated": "no"},
    "test": {"Stage": "test", "Emulated": "no"},
    "live, emulated": {"Stage": "live", "Emulated": "yes"},
    "test, emulated": {"Stage": "test", "Emulated": "yes"},
    "local": {"Stage": "local", "Emulated": "yes"},
}
PARTS: dict[str, dict[str, str]] = {
    "nothing more": {},
    "an identity that exists": {"MailIdentity": "existing"},
    "a domain": {"PublicUrl": "https://licenties.shop.example"},
    "an address for alarms": {"AlarmAddress": "alarm@shop.example"},
    "networks": {"SupportNetworks": "203.0.113.0/24,198.51.100.7/32"},
    "a firewall": {"WafRequestLimit": "100"},
    "a key": {"KmsKey": KEY},
    "no protection": {"TableProtection": "off"},
    "no gradual deploys": {"GradualDeploys": "off"},
    "no traces": {"Tracing": "off"},
    "all traces": {"Tracing": "all"},
}
PARTS["a bus for events"] = {"EventsBus": "on"}
PARTS["an address for events"] = {"EventsUrl": "https://shop.example/keypost"}
EVENTS = PARTS["a bus for events"] | PARTS["an address for events"]
PARTS["several"] = {
    key: value
    for name in ("a key", "a firewall", "no traces", "a bus for events", "an address for events")
    for key, value in PARTS[name].items()
}
CHOICES = {f"{stage}, {part}": STAGES[stage] | PARTS[part] for stage, part in product(STAGES, PARTS)}

# What can stop, the alarm that rings when it fails, and the one that rings when it stands still. What fails or is
# throttled behind the API is an error of the API.
BEHIND_API = ("ApiFailingAlarm", "ApiFailingAlarm")
ALARMS = {
    "Api": BEHIND_API,
    "SupportAuth": BEHIND_API,
    "SupportApi": BEHIND_API,
    "SupportPage": BEHIND_API,
    "SelfServicePage": BEHIND_API,
    "GuidePage": BEHIND_API,
    "RemindersPage": BEHIND_API,
    "PaymentCallback": ("PaymentCallbackAlarm", "CallbackThrottledAlarm"),
    "AdvanceOrders": ("AdvanceOrdersAlarm", "QueueStandsStillAlarm"),
    "AdvanceOrdersPoked": ("AdvanceOrdersAlarm", "QueueStandsStillAlarm"),
    "Queue": ("DeadLetterAlarm", "QueueStandsStillAlarm"),
    "SendAgain": ("SendAgainAlarm", "WishesStandStillAlarm"),
    "SendAgainWished": ("SendAgainAlarm", "WishesStandStillAlarm"),
    "Wishes": ("DeadLetterAlarm", "WishesStandStillAlarm"),
    "MailFeedback": ("MailFeedbackAlarm", "FeedbackStandsStillAlarm"),
    "MailFeedbackTold": ("MailFeedbackAlarm", "FeedbackStandsStillAlarm"),
    "FeedbackQueue": ("FeedbackDeadLetterAlarm", "FeedbackStandsStillAlarm"),
    "MailEventsRule": ("FeedbackDeadLetterAlarm", "FeedbackSilentAlarm"),
    "MailEvents": ("FeedbackSilentAlarm", "FeedbackSilentAlarm"),
    "FindDueOrders": ("FailedRunsAlarm", "SafetyNetStoppedAlarm"),
    "FindDueOrdersSafetyNet": ("FailedRunsAlarm", "SafetyNetStoppedAlarm"),
    "FindDueOrdersDaily": ("FailedRunsAlarm", "DailyRuleAlarm"),
    "ReconcilePayments": ("ReconcileAlarm", "ReconcileStoppedAlarm"),
    "ReconcilePaymentsHourly": ("FailedRunsAlarm", "ReconcileStoppedAlarm"),
    "WriteDailyNote": ("FailedRunsAlarm", "DailyNoteStoppedAlarm"),
    "WriteDailyNoteDaily": ("FailedRunsAlarm", "DailyNoteStoppedAlarm"),
    # Nothing reads these: a message stays, and its alarm rings as long as it does.
    "DeadLetters": ("DeadLetterAlarm", "DeadLetterAlarm"),
    "FeedbackDeadLetters": ("FeedbackDeadLetterAlarm", "FeedbackDeadLetterAlarm"),
    "FailedRuns": ("FailedRunsAlarm", "FailedRunsAlarm"),
}
FOR_DEPLOYS = {"NewWorkerAlarm", "NewCallbackAlarm"}  # they have a deploy go back, and call nobody
# Those of the events that leave, if they do.
ALARMS_OF_EVENTS = {
    "TellEvents": ("TellEventsAlarm", "EventsSilentAlarm"),
    "TellEventsChanged": ("TellEventsAlarm", "EventsSilentAlarm"),
    "LostEvents": ("LostEventsAlarm", "LostEventsAlarm"),
    "DeliverEvents": ("DeliverEventsAlarm", "EventsStandStillAlarm"),
    "DeliverEventsTold": ("DeliverEventsAlarm", "EventsStandStillAlarm"),
    "EventQueue": ("EventDeadLetterAlarm", "EventsStandStillAlarm"),
    "EventDeadLetters": ("EventDeadLetterAlarm", "EventDeadLetterAlarm"),
}
CAN_STOP = {
    "AWS::ApiGateway::RestApi",
    "AWS::Events::Rule",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
}

# What holds data or an address that others know, so that a new one in its place is a loss.
HOLDS_SOMETHING = {
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::EmailIdentity",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}
# The parameters that replace such a resource after all, and why that is right.
REPLACES = {
    ("Identity", "EmailIdentity"): {"MailDomain"},  # another domain is another identity; `setup` refuses the change
    ("Identity", "Condition"): {"MailIdentity"},  # with `existing` the domain is somebody else's, so this one goes
    # Who wants no events any more loses those that have not left, which the orders hold still.
    ("TellEventsLog", "Condition"): {"EventsBus", "EventsUrl"},
    ("LostEvents", "Condition"): {"EventsBus", "EventsUrl"},
    ("DeliverEventsLog", "Condition"): {"EventsUrl"},
    ("EventQueue", "Condition"): {"EventsUrl"},
    ("EventDeadLetters", "Condition"): {"EventsUrl"},
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return whole(yaml_parse((ROOT / "template.yaml").read_text("utf-8")))  # type: ignore[no-untyped-call]


@pytest.fixture(params=[*STAGES, *PARTS])
def stack(request: pytest.FixtureRequest, template: dict[str, Any]) -> Stack:
    """The stack of each stage, and a live one with each part."""
    return stack_with(template, STAGES.get(request.param, PARTS.get(request.param, {})))


def test_each_condition_is_once_true_and_once_false_among_the_choices(template: dict[str, Any]) -> None:
    """A new optional part needs a choice here, or nothing is known of a stack with it."""
    decided = [conditions_with(template, choice) for choice in CHOICES.values()]

    assert {name for name in template["Conditions"] if len({each[name] for each in decided}) < 2} == set()


def unknown_names(template: Mapping[str, Any], stack: Stack) -> set[str]:
    """What is named and is not there: CloudFormation refuses that, some of it in the middle of a deploy."""
    named = set(names_in([*stack.resources.values(), *stack.outputs.values()]))
    for resource in stack.resources.values():
        needed = resource.get("DependsOn", [])
        named |= {needed} if isinstance(needed, str) else set(needed)
    there = stack.resources.keys() | template["Parameters"].keys()
    return {name for name in named - there if not name.startswith("AWS::")}


def test_nothing_names_what_a_stack_leaves_out(template: dict[str, Any]) -> None:
    unknown = {name: unknown_names(template, stack_with(template, choice)) for name, choice in CHOICES.items()}

    assert {name: names for name, names in unknown.items() if names} == {}


def test_a_name_of_what_is_left_out_would_be_seen(template: dict[str, Any]) -> None:
    broken = deepcopy(template)
    broken["Resources"]["Alarms"]["Properties"]["DisplayName"] = {"Fn::Sub": "of ${Firewall.Arn}"}

    assert unknown_names(broken, stack_with(broken, {})) == {"Firewall"}
    assert unknown_names(broken, stack_with(broken, {"WafRequestLimit": "10"})) == set()


def test_the_one_stage_has_its_name_and_its_throttles(stack: Stack) -> None:
    (stage,) = of_type(stack.resources, "AWS::ApiGateway::Stage").values()
    deployments = of_type(stack.resources, "AWS::ApiGateway::Deployment").values()

    assert stage["StageName"] == "v1"
    assert {"/*"} < {each["ResourcePath"] for each in stage["MethodSettings"]}
    assert [each.get("StageName") for each in deployments] == [None]  # one that has a name makes a second stage


def test_two_stacks_share_no_name_but_what_is_unique_within_something_of_their_own(stack: Stack) -> None:
    within_its_own = {"StageName", "PolicyName", "LayerName", "MetricName", "IndexName", "AttributeName", "RuleName"}
    names = {
        (kind, key)
        for name, resource in stack.resources.items()
        for kind in [resource["Type"]]
        for key, value in resource["Properties"].items()
        if key.endswith("Name") and isinstance(value, str) and key not in within_its_own
    }

    names.remove(("AWS::Lambda::Alias", "Name"))  # of its function

    assert names <= {("AWS::SES::EmailIdentity", "EmailIdentity")}
    assert "Name" not in {key for one in of_type(stack.resources, "AWS::Scheduler::Schedule").values() for key in one}


@pytest.mark.parametrize(
    ("given", "reached"), [("", "help@shop.example"), ("night@shop.example", "night@shop.example")]
)
def test_alarms_reach_somebody_also_by_default(template: dict[str, Any], given: str, reached: str) -> None:
    resources = stack_with(template, {"AlarmAddress": given}).resources

    assert resources["Alarms"]["Properties"]["Subscription"] == [{"Protocol": "email", "Endpoint": reached}]


def test_each_alarm_of_a_stack_rings_there(stack: Stack) -> None:
    every = of_type(stack.resources, "AWS::CloudWatch::Alarm")
    alarms = [alarm for name, alarm in every.items() if name not in FOR_DEPLOYS]

    assert every.keys() > FOR_DEPLOYS
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in alarms)
    assert all(alarm["TreatMissingData"] in {"breaching", "notBreaching"} for alarm in alarms)
    assert not any(alarm.get("ActionsEnabled") is False for alarm in alarms)


def can_stop(resources: Mapping[str, Any]) -> set[str]:
    return {name for name, resource in resources.items() if resource["Type"] in CAN_STOP}


LEADS_ON = ("Target", "Targets", "EventSourceArn", "FunctionName", "RedrivePolicy", "DestinationConfig")


def leads_to(resources: Mapping[str, Any], name: str) -> set[str]:
    """Where what stops at a resource is seen: the function that a schedule starts, the queue that a function reads, the
    queue of what it could not do, and the API before it."""
    properties = resources[name]["Properties"]
    found = set(names_in([properties.get(key) for key in LEADS_ON]))
    for kind in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
        for joined in of_type(resources, kind).values():
            if name in set(names_in(joined["FunctionName"])):
                found |= set(names_in([joined.get(key) for key in LEADS_ON]))
    aliases = of_type(resources, "AWS::Lambda::Alias").items()
    found |= {alias for alias, one in aliases if one["FunctionName"]["Ref"] == name}
    for rule, described in of_type(resources, "AWS::Events::Rule").items():
        if set(names_in(properties.get("ConfigurationSetName"))) & set(names_in(described["EventPattern"])):
            found.add(rule)
    return found | ({"Api"} if name in set(names_in(resources["Api"])) else set())


def near(resources: Mapping[str, Any], name: str) -> set[str]:
    found, open_ = set(), {name}
    while open_:
        found |= open_
        open_ = {each for one in open_ for each in leads_to(resources, one) if each in resources} - found
    return found


def looked_at(alarm: Mapping[str, Any]) -> set[str]:
    """The resources whose metrics of AWS's own an alarm reads. Our own metrics have the stack as their only name."""
    of_aws = [each for each in metrics_of(alarm) if each["Namespace"].startswith("AWS/")]
    of_api = {"Api" for each in of_aws if each["Namespace"] == "AWS/ApiGateway"}
    return of_api | {name for each in of_aws for name in names_in(each["Dimensions"]) if not name.startswith("AWS::")}


def test_whatever_can_stop_has_an_alarm_for_failing_and_for_standing_still(template: dict[str, Any]) -> None:
    assert can_stop(stack_with(template, {}).resources) == ALARMS.keys()
    resources = stack_with(template, EVENTS).resources
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")

    assert can_stop(resources) == ALARMS.keys() | ALARMS_OF_EVENTS.keys()
    for name, rings in (ALARMS | ALARMS_OF_EVENTS).items():
        for alarm in rings:
            assert not (seen := looked_at(alarms[alarm])) or seen & near(resources, name), (name, alarm)


def test_a_new_function_without_an_alarm_would_be_seen(template: dict[str, Any]) -> None:
    more = deepcopy(template)
    more["Resources"]["Newcomer"] = deepcopy(more["Resources"]["GuidePage"])

    assert can_stop(stack_with(more, {}).resources) - ALARMS.keys() == {"Newcomer"}


def test_an_alarm_that_looks_at_another_queue_would_be_seen(template: dict[str, Any]) -> None:
    resources = stack_with(template, {}).resources
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")

    assert looked_at(alarms["WishesStandStillAlarm"]) == {"Wishes"}
    assert not looked_at(alarms["WishesStandStillAlarm"]) & near(resources, "AdvanceOrders")
    assert looked_at(alarms["FeedbackSilentAlarm"]) == {"MailEventsRule"}


def test_a_message_that_fails_reaches_its_dead_letters_before_a_queue_is_said_to_stand_still(
    template: dict[str, Any],
) -> None:
    resources = stack_with(template, {}).resources

    for alarm in ("QueueStandsStillAlarm", "WishesStandStillAlarm", "FeedbackStandsStillAlarm"):
        properties = resources[alarm]["Properties"]
        (queue,) = looked_at(properties)
        of_queue = resources[queue]["Properties"]
        assert of_queue["VisibilityTimeout"] * of_queue["RedrivePolicy"]["maxReceiveCount"] < properties["Threshold"]
        assert (properties["MetricName"], properties["Statistic"]) == ("ApproximateAgeOfOldestMessage", "Maximum")


@pytest.mark.parametrize(
    ("alarm", "hours"), [("SafetyNetStoppedAlarm", 2), ("ReconcileStoppedAlarm", 3), ("DailyNoteStoppedAlarm", 26)]
)
def test_a_schedule_that_does_not_run_rings_although_nothing_is_counted(
    template: dict[str, Any], alarm: str, hours: int
) -> None:
    properties = stack_with(template, {}).resources[alarm]["Properties"]

    assert (properties["MetricName"], properties["TreatMissingData"]) == ("Invocations", "breaching")
    assert (properties["ComparisonOperator"], properties["Threshold"]) == ("LessThanThreshold", 1)
    assert properties["Period"] * properties["EvaluationPeriods"] == hours * 3600


def started_without_an_answer(resources: Mapping[str, Any]) -> set[str]:
    """The functions that a schedule, a rule or a topic starts: Lambda alone repeats what fails there."""
    aliases = {name: one["FunctionName"]["Ref"] for name, one in of_type(resources, "AWS::Lambda::Alias").items()}
    targets = [one["Target"]["Arn"] for one in of_type(resources, "AWS::Scheduler::Schedule").values()]
    targets += [each["Arn"] for one in of_type(resources, "AWS::Events::Rule").values() for each in one["Targets"]]
    targets += [one["Endpoint"] for one in of_type(resources, "AWS::SNS::Subscription").values()]
    return {aliases[name] for name in names_in(targets) if name in aliases}


def test_what_nobody_waits_for_is_repeated_as_said_and_what_fails_for_good_is_kept(stack: Stack) -> None:
    resources = stack.resources
    configs = {one["FunctionName"]["Ref"]: one for one in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()}
    kept = {"Fn::GetAtt": ["FailedRuns", "Arn"]}

    assert configs.keys() == started_without_an_answer(resources)
    assert {name: one["MaximumRetryAttempts"] for name, one in configs.items()} == {
        "FindDueOrders": 1, "ReconcilePayments": 0, "WriteDailyNote": 1,
    }  # fmt: skip
    for name, one in configs.items():
        assert one["DestinationConfig"] == {"OnFailure": {"Destination": kept}}
        assert one["MaximumEventAgeInSeconds"] <= 3600
        role = resources[f"{name}Role"]["Properties"]["Policies"]
        may = [statement for policy in role for statement in policy["PolicyDocument"]["Statement"]]
        assert {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": kept} in may


def test_three_runs_that_failed_in_a_day_ring_and_two_of_a_provider_that_is_down_do_not(
    template: dict[str, Any],
) -> None:
    resources = stack_with(template, {}).resources
    alarm = resources["FailedRunsAlarm"]["Properties"]

    assert resources["FailedRuns"]["Properties"]["MessageRetentionPeriod"] == 24 * 3600
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateNumberOfMessagesVisible", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 2)


def left_over(resources: Mapping[str, Any]) -> set[str]:
    """What stays when the first create of this stack fails. What is protected the rollback may not delete either; the
    versions of a function go with the function."""
    return {
        name
        for name, resource in resources.items()
        if (resource.get("DeletionPolicy") in {"Retain", "Snapshot"} and resource["Type"] != "AWS::Lambda::Version")
        or resource["Properties"].get("DeletionProtectionEnabled")
    }


def test_a_first_create_that_fails_leaves_nothing_but_a_table_that_is_protected_already(
    template: dict[str, Any],
) -> None:
    left = {name: left_over(stack_with(template, choice).resources) for name, choice in CHOICES.items()}

    live = {f"{stage}, {part}" for stage in ("live", "live, emulated") for part in PARTS}
    protected = live - {"live, no protection", "live, emulated, no protection"}
    assert {name: names for name, names in left.items() if names} == {name: {"Table"} for name in protected}


def test_a_stack_that_is_deleted_leaves_its_orders_and_its_secrets(stack: Stack) -> None:
    stays = {name for name, one in stack.resources.items() if one.get("DeletionPolicy") == "RetainExceptOnCreate"}

    assert stays == {"Table", "Secrets"}
    assert {stack.resources[name]["UpdateReplacePolicy"] for name in stays} == {"Retain"}


def replacing(template: Mapping[str, Any]) -> dict[tuple[str, str], set[str]]:
    holders = [name for name, one in template["Resources"].items() if one["Type"] in HOLDS_SOMETHING]
    return {
        (name, through): parameters for name in holders for through, parameters in replaced_by(template, name).items()
    }


def test_no_parameter_replaces_what_holds_something(template: dict[str, Any]) -> None:
    assert {one["Type"] for one in template["Resources"].values()} >= HOLDS_SOMETHING
    assert replacing(template) == REPLACES


def test_a_parameter_in_the_name_of_the_table_would_be_seen(template: dict[str, Any]) -> None:
    broken = deepcopy(template)
    broken["Resources"]["Table"]["Properties"]["TableName"] = {
        "Fn::If": ["IsProtected", {"Fn::Sub": "${ShopName}-live"}, {"Ref": "AWS::NoValue"}]
    }
    broken["Resources"]["Api"]["Condition"] = "HasFirewall"

    assert replacing(broken) == REPLACES | {
        ("Table", "TableName"): {"Stage", "TableProtection", "ShopName"},
        ("Api", "Condition"): {"WafRequestLimit"},
        ("Apiv1Stage", "RestApiId"): {"WafRequestLimit"},
    }


def test_what_is_generated_into_the_secrets_never_changes(stack: Stack) -> None:
    """A change generates a new value, and every key that was set is lost with the old one."""
    assert stack.resources["Secrets"]["Properties"]["GenerateSecretString"] == {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "of_nobody",
        "PasswordLength": 32,
        "ExcludePunctuation": True,
    }


def keys_of(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The key under which a table, a queue or a secret stands."""
    keys = {
        name: one["KmsMasterKeyId"]
        for name, one in of_type(resources, "AWS::SQS::Queue").items()
        if "KmsMasterKeyId" in one
    }
    keys |= {
        name: one["KmsKeyId"]
        for name, one in of_type(resources, "AWS::SecretsManager::Secret").items()
        if "KmsKeyId" in one
    }
    tables = of_type(resources, "AWS::DynamoDB::Table")
    return keys | {
        name: one["SSESpecification"]["KMSMasterKeyId"]
        for name, one in tables.items()
        if "KMSMasterKeyId" in one["SSESpecification"]
    }


def holders_of_data(resources: Mapping[str, Any]) -> set[str]:
    kinds = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret")
    return {name for kind in kinds for name in of_type(resources, kind)}


def test_a_key_of_the_shops_own_is_over_the_table_every_queue_and_the_secrets(template: dict[str, Any]) -> None:
    with_key, without = (stack_with(template, {"KmsKey": key}).resources for key in (KEY, ""))

    assert keys_of(with_key) == dict.fromkeys(holders_of_data(with_key), KEY)
    assert keys_of(without) == {}
    for queue in of_type(with_key, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is False  # SQS refuses two ways at once
    for queue in of_type(without, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


def test_each_function_that_reaches_data_may_use_the_shops_key_and_no_other_may(template: dict[str, Any]) -> None:
    resources = stack_with(template, {"KmsKey": KEY}).resources
    policy = resources["UseTheKmsKey"]["Properties"]
    data = holders_of_data(resources)
    reaching = {
        f"{name}Role"
        for name in of_type(resources, "AWS::Lambda::Function")
        if data & set(names_in(resources[f"{name}Role"]))
    }

    assert {role["Ref"] for role in policy["Roles"]} == reaching
    assert len(reaching) > 10
    statements = policy["PolicyDocument"]["Statement"]
    assert {each["Action"] for each in statements} == {
        "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey",
    }  # fmt: skip
    for statement in statements:
        assert (statement["Effect"], statement["Resource"]) == ("Allow", KEY)
        services = statement["Condition"]["StringEquals"]["kms:ViaService"]
        assert [each["Fn::Sub"].partition(".")[0] for each in services] == ["dynamodb", "sqs", "secretsmanager"]


@pytest.mark.parametrize(
    ("limit", "fits"),
    [("0", True), ("10", True), ("2000", True), ("1", False), ("9", False), ("", False), ("010", False)],
)
def test_a_limit_that_the_firewall_would_refuse_is_refused_before_the_deploy(
    template: dict[str, Any], limit: str, fits: bool
) -> None:
    assert bool(re.fullmatch(template["Parameters"]["WafRequestLimit"]["AllowedPattern"], limit)) is fits


@pytest.mark.parametrize(
    ("key", "fits"),
    [(KEY, True), ("", True), ("alias/shop", False), (f"{KEY} ", False), (KEY.replace("key/", "alias/"), False)],
)
def test_the_shops_key_is_named_by_its_arn(template: dict[str, Any], key: str, fits: bool) -> None:
    assert bool(re.fullmatch(template["Parameters"]["KmsKey"]["AllowedPattern"], key)) is fits


def test_support_is_closed_to_other_networks_also_with_a_slash_behind_the_path(template: dict[str, Any]) -> None:
    resources = stack_with(template, {"SupportNetworks": "203.0.113.0/24"}).resources
    body = resources["Api"]["Properties"]["Body"]
    needs_a_key = [
        path for path, methods in body["paths"].items() if any("security" in one for one in methods.values())
    ]
    (deny,) = (one for one in body["x-amazon-apigateway-policy"]["Statement"] if one["Effect"] == "Deny")
    closed = deny["Resource"]

    assert len(needs_a_key) > 20
    for path in needs_a_key:
        for called in (path, f"{path}/"):
            assert any(fnmatchcase(f"execute-api:/v1/GET{called}", one) for one in closed), called


def test_a_mail_whose_recipient_knows_no_tls_leaves_and_that_is_decided(stack: Stack) -> None:
    assert stack.resources["ConfigurationSet"]["Properties"]["DeliveryOptions"] == {"TlsPolicy": "OPTIONAL"}


def test_no_level_of_logs_drops_the_metrics(stack: Stack) -> None:
    """A metric is a line without a level, which Lambda takes for INFO."""
    for function in of_type(stack.resources, "AWS::Lambda::Function").values():
        assert "ApplicationLogLevel" not in function["LoggingConfig"]
