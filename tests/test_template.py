"""What template.yaml promises, function by function."""

import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from cli.versions import OWN
from keypost import wiring
from keypost.config import Config, variable
from keypost.core.languages import DEFAULT
from keypost.core.mailing import MAIL_LEASE
from keypost.providers import PROVIDERS
from keypost.use_cases.deliver_event import PAUSES
from keypost.words import LANGUAGES
from tests.translated import metrics_of, of_type, translated

# AWS has no resources for these actions, so they can only be allowed for all.
WITHOUT_RESOURCES = {"ses:GetAccount", "ses:GetSuppressedDestination", "ses:DeleteSuppressedDestination"}

# Literal names that another stack in the same account and region does not collide with.
HARMLESS_NAMES = {
    "MetricName",  # of a metric that an alarm reads
    "StageName",  # is unique within its API only
    "LayerName",  # each stack publishes a version of its own under it
}


STACK_NAME = {"Ref": "AWS::StackName"}

# The metrics that are counted for each provider by itself.
AT_DOOR = ("SignatureRefused", "CallbackFailed", "DoorSilent")


@pytest.fixture
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return dict(template["Resources"])


@pytest.fixture
def functions(resources: dict[str, Any]) -> dict[str, Any]:
    return of_type(resources, "AWS::Serverless::Function")


def stages(resources: dict[str, Any]) -> Iterator[str]:
    """Every stage of the API: a deployment that names one creates it too."""
    for kind in ("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment"):
        for properties in of_type(resources, kind).values():
            if "StageName" in properties:
                yield properties["StageName"]


def literal_names(resources: dict[str, Any]) -> set[str]:
    """The resources whose name is the same in every stack."""
    return {
        resource_id
        for resource_id, resource in resources.items()
        for key, value in resource.get("Properties", {}).items()
        if key.endswith("Name") and key not in HARMLESS_NAMES and isinstance(value, str)
    }


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [statement for policy in function["Policies"] for statement in policy["Statement"]]


def test_every_file_of_functions_is_a_function_and_the_other_way_round(functions: dict[str, Any]) -> None:
    handlers = {function["Handler"] for function in functions.values()}

    assert handlers == {f"{path.stem}.handler" for path in (ROOT / "functions").glob("*.py")}


def test_functions_run_on_arm_with_python_313_and_both_layers(template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]

    assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])
    assert shared["Layers"] == [{"Ref": "DependenciesLayer"}, {"Ref": "KeypostLayer"}]


def test_the_api_has_one_stage_so_that_throttle_and_firewall_guard_every_way_in(template: dict[str, Any]) -> None:
    as_sam_makes_it_by_default = deepcopy(template)
    del as_sam_makes_it_by_default["Resources"]["Api"]["Properties"]["OpenApiVersion"]

    assert list(stages(translated(template))) == ["v1"]
    assert list(stages(translated(as_sam_makes_it_by_default))) == ["v1", "Stage"]


def test_no_resource_has_a_fixed_name_so_that_a_second_stack_fits_into_the_account(template: dict[str, Any]) -> None:
    as_sam_makes_it_by_default = deepcopy(template)
    for function in of_type(as_sam_makes_it_by_default["Resources"], "AWS::Serverless::Function").values():
        for event in function.get("Events", {}).values():
            event["Properties"].pop("OmitName", None)

    aliases = {f"{name}Aliaslive" for name in of_type(template["Resources"], "AWS::Serverless::Function")}
    assert literal_names(translated(template)) == aliases  # a name within a function
    assert literal_names(translated(as_sam_makes_it_by_default)) - aliases == {
        "FindDueOrdersDaily", "FindDueOrdersSafetyNet", "ReconcilePaymentsHourly", "WriteDailyNoteDaily",
    }  # fmt: skip


def test_the_output_version_is_the_version_of_the_package(template: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert template["Outputs"]["Version"]["Value"] == project["version"] == OWN


def test_layers_are_built_for_the_processor_on_which_they_run(resources: dict[str, Any]) -> None:
    layers = [one for one in resources.values() if one["Type"] == "AWS::Serverless::LayerVersion"]

    assert [one["Properties"]["CompatibleArchitectures"] for one in layers] == [["arm64"]] * 3
    assert [one["Metadata"]["BuildArchitecture"] for one in layers] == ["arm64"] * 3


def test_every_setting_is_set_and_no_other(template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    functions = of_type(template["Resources"], "AWS::Serverless::Function").values()
    own = [each["Environment"]["Variables"] for each in functions if "Environment" in each]

    settings = {variable(field.name) for field in fields(Config)}
    assert {name for each in (shared, *own) for name in each} == settings | {"POWERTOOLS_SERVICE_NAME"}


def test_what_a_stack_counts_is_counted_under_its_own_name(template: dict[str, Any]) -> None:
    """Otherwise the alarms of a live stack ring for what happens in a test stack of the same account."""
    assert template["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == STACK_NAME


def test_the_languages_to_choose_from_are_those_that_are_written_and_the_default_is_the_default(
    template: dict[str, Any],
) -> None:
    """A template cannot read a folder."""
    for name in ("ShopLanguage", "SupportLanguage"):
        assert template["Parameters"][name]["AllowedValues"] == list(LANGUAGES)
        assert template["Parameters"][name]["Default"] == DEFAULT


def test_no_variable_holds_a_secret_only_its_name(template: dict[str, Any], resources: dict[str, Any]) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    assert set(of_type(resources, "AWS::SecretsManager::Secret")) == {variables["KEYPOST_SECRETS"]["Ref"]}
    assert "resolve:secretsmanager" not in str(template)


def test_every_function_logs_into_its_own_group_that_forgets(
    resources: dict[str, Any], functions: dict[str, Any]
) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")

    assert {f["LoggingConfig"]["LogGroup"]["Ref"] for f in functions.values()} == set(groups)
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_every_permission_is_one_action_on_named_things_with_its_reason(functions: dict[str, Any]) -> None:
    for function in functions.values():
        for statement in statements(function):
            assert isinstance(statement["Action"], str)
            assert "*" not in statement["Action"]
            assert statement["Sid"]
            assert "*" not in str(statement["Resource"]) or statement["Action"] in WITHOUT_RESOURCES


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        (
            "PaymentCallback",
            {
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "sqs:SendMessage",
                "secretsmanager:GetSecretValue",
            },
        ),
        (
            "ReconcilePayments",
            {
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "sqs:SendMessage",
                "secretsmanager:GetSecretValue",
            },
        ),
        ("SelfServicePage", {"dynamodb:UpdateItem", "dynamodb:PutItem", "sqs:SendMessage"}),
        ("GuidePage", {"dynamodb:GetItem", "dynamodb:BatchGetItem"}),
        ("RemindersPage", {"dynamodb:GetItem", "dynamodb:UpdateItem"}),
        (
            "SendAgain",
            {
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:PutItem",
                "sqs:SendMessage",
            },
        ),
        (
            "FindDueOrders",
            {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "sqs:SendMessage", "ses:GetAccount"},
        ),
        (
            "SupportApi",
            {
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "ses:GetSuppressedDestination",
                "ses:DeleteSuppressedDestination",
                "sqs:SendMessage",
            },
        ),
        ("SupportAuth", {"dynamodb:GetItem", "dynamodb:UpdateItem"}),
        (
            "WriteDailyNote",
            {
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:PutItem",
                "ses:SendEmail",
                "ses:SendRawEmail",
            },
        ),
        ("TellEvents", {"events:PutEvents", "sqs:SendMessage"}),
        (
            "DeliverEvents",
            {
                "sqs:ChangeMessageVisibility",
                "dynamodb:GetItem",
                "dynamodb:UpdateItem",
                "secretsmanager:GetSecretValue",
            },
        ),
        (
            "AdvanceOrders",
            {
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "dynamodb:Query",
                "sqs:SendMessage",
                "ses:GetAccount",
                "ses:SendEmail",
                "ses:SendRawEmail",
            },
        ),
        ("MailFeedback", {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}),
    ],
)
def test_a_function_may_do_what_it_does_and_no_more(
    functions: dict[str, Any], function: str, actions: set[str]
) -> None:
    assert {statement["Action"] for statement in statements(functions[function])} == actions


def test_an_event_is_tried_once_more_than_there_are_pauses(resources: dict[str, Any]) -> None:
    queue = resources["EventQueue"]["Properties"]

    assert queue["RedrivePolicy"]["maxReceiveCount"] == len(PAUSES) + 1
    assert max(PAUSES) <= timedelta(hours=12)  # SQS puts a message off for no longer
    assert sum(PAUSES, timedelta()) < timedelta(seconds=queue["MessageRetentionPeriod"])


def test_who_calls_the_shop_reaches_no_order(functions: dict[str, Any]) -> None:
    of_table = [each for each in statements(functions["DeliverEvents"]) if each["Action"].startswith("dynamodb:")]

    assert [each["Condition"]["ForAllValues:StringLike"] for each in of_table] == 2 * [
        {"dynamodb:LeadingKeys": "EVENTSURL"}
    ]


def test_who_checks_keys_reaches_nothing_but_keys(functions: dict[str, Any]) -> None:
    for statement in statements(functions["SupportAuth"]):
        assert statement["Condition"] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "KEY#*"},
            "Null": {"dynamodb:LeadingKeys": "false"},  # without this, a call that names no key would be allowed
        }


def test_the_support_api_may_write_the_table_but_no_support_key(functions: dict[str, Any]) -> None:
    denied = {s["Action"]: s["Condition"] for s in statements(functions["SupportApi"]) if s["Effect"] == "Deny"}

    keys = {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["KEY#*", "KEYS"]}}
    assert denied == {"dynamodb:PutItem": keys, "dynamodb:UpdateItem": keys}


def test_tokens_are_for_somebody(template: dict[str, Any]) -> None:
    rule = template["Rules"]["TokensAreForSomebody"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SupportIssuer"}, ""]}]}
    assert [a["Assert"] for a in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "SupportAudience"}, ""]}]}
    ]


def test_a_stack_that_accepts_test_and_live_payments_is_for_one_machine_only(template: dict[str, Any]) -> None:
    rule = template["Rules"]["OnlyAnEmulatorIsLocal"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}
    assert [each["Assert"] for each in rule["Assertions"]] == [{"Fn::Equals": [{"Ref": "Emulated"}, "yes"]}]
    assert template["Parameters"]["Emulated"]["Default"] == "no"


def test_a_mail_domain_that_is_an_identity_already_is_left_as_it_is(resources: dict[str, Any]) -> None:
    assert of_type(resources, "AWS::SES::EmailIdentity").keys() == {"Identity"}
    assert resources["Identity"]["Condition"] == "HasOwnIdentity"
    others = {name: each for name, each in resources.items() if name != "Identity"}
    assert "Identity}" not in str(others)  # nothing else needs it


def test_a_message_that_fails_comes_back_and_ends_in_a_queue_that_raises_an_alarm(resources: dict[str, Any]) -> None:
    queues, dead = of_type(resources, "AWS::SQS::Queue"), resources["DeadLetters"]["Properties"]
    alarm = resources["DeadLetterAlarm"]["Properties"]

    for queue in (queues["Queue"], queues["Wishes"]):
        assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["DeadLetters", "QueueName"]}}]
    assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]


@pytest.mark.parametrize(
    ("function", "queue"), [("AdvanceOrders", "Queue"), ("SendAgain", "Wishes"), ("MailFeedback", "FeedbackQueue")]
)
def test_a_function_whose_batches_fail_whole_raises_an_alarm(
    resources: dict[str, Any], function: str, queue: str
) -> None:
    """Of a single message too: it comes back in each period, until its last try."""
    alarm, queue_of = resources[f"{function}Alarm"]["Properties"], resources[queue]["Properties"]

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function}}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Period"] >= queue_of["VisibilityTimeout"]
    assert alarm["EvaluationPeriods"] == 2
    tries = queue_of["RedrivePolicy"]["maxReceiveCount"]
    assert (tries - 1) * queue_of["VisibilityTimeout"] >= alarm["Period"]


def test_the_times_fit_each_other(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    timeout = functions["AdvanceOrders"]["Timeout"]

    assert timeout < MAIL_LEASE.total_seconds()
    assert resources["Queue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout
    assert resources["Wishes"]["Properties"]["VisibilityTimeout"] >= 6 * functions["SendAgain"]["Timeout"]


def test_what_ses_tells_of_one_mail_is_taken_in_one_invocation(functions: dict[str, Any]) -> None:
    told = functions["MailFeedback"]["Events"]["Told"]["Properties"]

    assert told["MaximumBatchingWindowInSeconds"] == 20
    assert timedelta(seconds=20) < MAIL_LEASE  # so an event is there before a mail of unknown outcome is looked at


def test_one_failed_order_of_a_batch_comes_back_alone(functions: dict[str, Any]) -> None:
    for event in (functions["AdvanceOrders"]["Events"]["Poked"], functions["SendAgain"]["Events"]["Wished"]):
        assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_worker_removes_nothing_but_what_was_set_aside(functions: dict[str, Any]) -> None:
    (may,) = (s for s in statements(functions["AdvanceOrders"]) if s["Action"] == "dynamodb:DeleteItem")

    assert may["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "ASIDE#*"},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_the_schedule_of_what_is_due_may_write_the_start_and_nothing_else(functions: dict[str, Any]) -> None:
    may = {s["Action"]: s.get("Condition") for s in statements(functions["FindDueOrders"]) if "Item" in s["Action"]}
    start_only = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "START"},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }

    assert may == {"dynamodb:GetItem": start_only, "dynamodb:UpdateItem": start_only}


def test_the_page_for_customers_may_write_down_what_they_ask_and_read_nothing(functions: dict[str, Any]) -> None:
    may = {s["Action"]: s.get("Condition", {}) for s in statements(functions["SelfServicePage"])}

    for action, key in (("dynamodb:UpdateItem", "TRIES#*"), ("dynamodb:PutItem", "WISH#*")):
        assert may[action] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": key},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    assert not any("Get" in action or action == "dynamodb:Query" for action in may)


def test_the_guide_reaches_products_and_nothing_else_and_answers_get_and_head_only(functions: dict[str, Any]) -> None:
    may = {s["Action"]: s.get("Condition", {}) for s in statements(functions["GuidePage"])}
    routes = [event["Properties"] for event in functions["GuidePage"]["Events"].values()]

    for action, key in (("dynamodb:GetItem", "CATALOG"), ("dynamodb:BatchGetItem", "PRODUCT#*")):
        assert may.pop(action) == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": key},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    assert may == {}
    assert sorted((route["Path"], route["Method"]) for route in routes) == [
        ("/activate", "GET"),
        ("/activate", "HEAD"),
        ("/activate/{sku}", "GET"),
        ("/activate/{sku}", "HEAD"),
    ]


def test_the_page_for_reminders_may_find_whose_a_link_is_and_stop_reminders_and_nothing_else(
    functions: dict[str, Any],
) -> None:
    may = {s["Action"]: s["Condition"] for s in statements(functions["RemindersPage"])}

    for action, keys in (("dynamodb:GetItem", ["WAYOUT#*", "REMINDERS#*"]), ("dynamodb:UpdateItem", "REMINDERS#*")):
        assert may[action] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }


def test_the_daily_runs_follow_the_shops_clock_and_the_safety_net_comes_every_15_minutes(
    functions: dict[str, Any],
) -> None:
    events = functions["FindDueOrders"]["Events"]

    assert events["Daily"]["Properties"]["ScheduleExpression"] == "cron(0 7,9,12 * * ? *)"
    assert events["Daily"]["Properties"]["ScheduleExpressionTimezone"] == {"Ref": "Timezone"}
    assert events["SafetyNet"]["Properties"]["ScheduleExpression"] == "rate(15 minutes)"


def test_what_api_gateway_says_by_itself_is_a_problem_that_nobody_keeps(resources: dict[str, Any]) -> None:
    said = resources["Api"]["Properties"]["GatewayResponses"]

    assert {"UNAUTHORIZED", "ACCESS_DENIED", "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(said)
    for kind, response in said.items():
        headers = response["ResponseParameters"]["Headers"]
        problem = json.loads(
            response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '""')
        )
        assert headers["Content-Type"] == "'application/problem+json'"
        assert headers["Cache-Control"] == "'no-store'"
        assert problem.keys() >= {"type", "title", "detail"}
        assert problem.get("status") == response.get("StatusCode"), kind


def test_the_support_api_answers_before_api_gateway_gives_up(functions: dict[str, Any]) -> None:
    assert functions["SupportApi"]["Timeout"] <= 29


def test_callbacks_are_answered_whatever_their_method(functions: dict[str, Any]) -> None:
    routes = [event["Properties"] for event in functions["PaymentCallback"]["Events"].values()]

    assert {route["Path"] for route in routes} == {"/callbacks/{provider}"}
    assert {route["Method"] for route in routes} == {"POST", "GET", "HEAD", "PUT", "PATCH", "DELETE"}


def test_callbacks_have_a_rate_of_their_own_that_a_flash_sale_fits_into(resources: dict[str, Any]) -> None:
    settings = resources["Api"]["Properties"]["MethodSettings"]
    of_route = {(each["ResourcePath"], each["HttpMethod"]): each for each in settings}
    callbacks, others = of_route["/~1callbacks~1{provider}", "POST"], of_route["/*", "*"]

    sale, seconds = 10_000, 10
    assert callbacks["ThrottlingBurstLimit"] + seconds * callbacks["ThrottlingRateLimit"] >= sale
    assert callbacks["ThrottlingRateLimit"] > others["ThrottlingRateLimit"]


def test_the_table_survives_a_mistake(resources: dict[str, Any]) -> None:
    table = resources["Table"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["IsProtected", True, False]}
    _, _, without_key = table["Properties"]["SSESpecification"]["Fn::If"]
    assert without_key == {"SSEEnabled": True}


def test_the_indexes_hold_keys_only_but_that_of_search(resources: dict[str, Any]) -> None:
    indexes = resources["Table"]["Properties"]["GlobalSecondaryIndexes"]
    held = {index["IndexName"]: index["Projection"] for index in indexes}

    assert held.pop("created") == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["find"]}
    assert held == {name: {"ProjectionType": "KEYS_ONLY"} for name in ("due", "stock", "customer", "attention", "tail")}


def test_the_samconfig_names_only_parameters_that_exist(template: dict[str, Any]) -> None:
    given = Path(ROOT / "samconfig.toml").read_text("utf-8")

    assert 'capabilities = "CAPABILITY_IAM"' in given
    assert all(f"{name}=" not in given for name in template["Parameters"])  # because the guide asks for each of them


def test_an_alarm_says_that_the_daily_rule_did_not_run_for_26_hours(resources: dict[str, Any]) -> None:
    alarm = resources["DailyRuleAlarm"]["Properties"]

    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("DailyRule", "breaching")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 3600
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_every_alarm_reaches_somebody_and_counts_what_the_functions_count(resources: dict[str, Any]) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    counted = (ROOT / "docs/metrics.md").read_text("utf-8")

    assert {"MailPausedAlarm", "DailyNoteAlarm", "FeedbackDeadLetterAlarm"} <= set(alarms)
    assert {"DailyRuleAlarm", "OverdueAlarm", "KeyRefusedAlarm", "ReconcileAlarm", "DeadLetterAlarm"} <= set(alarms)
    of_deploys = {alarms.pop("NewWorkerAlarm")["MetricName"], alarms.pop("NewCallbackAlarm")["MetricName"]}
    assert of_deploys == {"Errors"}  # a deploy goes back for them, and nobody is called
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]
        for metric in metrics_of(alarm):
            if metric["Namespace"] == "Keypost":
                assert f"`{metric['MetricName']}`" in counted
                assert {"Name": "service", "Value": STACK_NAME} in metric["Dimensions"]
                assert len(metric["Dimensions"]) == 1 + (metric["MetricName"] in AT_DOOR)


@pytest.mark.parametrize("metric", AT_DOOR)
def test_each_door_has_an_alarm_of_its_own_for_what_goes_wrong_there(metric: str, resources: dict[str, Any]) -> None:
    every = of_type(resources, "AWS::CloudWatch::Alarm").values()
    alarms = [alarm for alarm in every if alarm.get("MetricName") == metric]
    doors = [{each["Name"]: each["Value"] for each in alarm["Dimensions"]} for alarm in alarms]

    assert doors == [{"service": STACK_NAME, "provider": provider} for provider in PROVIDERS]
    assert {(alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) for alarm in alarms} == {
        ("Sum", 2 if metric == "CallbackFailed" else 0, "notBreaching")
    }


def test_an_alarm_says_that_calls_are_answered_with_an_error_of_ours(template: dict[str, Any]) -> None:
    resources = translated(template)
    of_api, of_function = (resources[name]["Properties"] for name in ("ApiFailingAlarm", "PaymentCallbackAlarm"))

    api = {"ApiName": resources["Api"]["Properties"]["Body"]["info"]["title"], "Stage": "v1"}
    assert (of_api["Namespace"], of_api["MetricName"]) == ("AWS/ApiGateway", "5XXError")
    assert {each["Name"]: each["Value"] for each in of_api["Dimensions"]} == api
    assert set(stages(resources)) == {"v1"}
    assert (of_function["Namespace"], of_function["MetricName"]) == ("AWS/Lambda", "Errors")
    assert of_function["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "PaymentCallback"}}]


def test_no_metrics_by_route_are_paid_for_as_no_alarm_reads_them(resources: dict[str, Any]) -> None:
    settings = resources["Api"]["Properties"]["MethodSettings"]
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    of_api = [metric for alarm in alarms for metric in metrics_of(alarm) if metric["Namespace"] == "AWS/ApiGateway"]
    read = {each["Name"] for metric in of_api for each in metric["Dimensions"]}

    assert [setting for setting in settings if setting.get("MetricsEnabled")] == []
    assert read == {"ApiName", "Stage"}  # what API Gateway counts for nothing


def chosen(value: Any, conditions: dict[str, bool]) -> Any:
    """What stands there under these conditions."""
    while isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        value = yes if conditions[condition] else no
    return value


CALLED_BY_THE_API = {"SupportApi", "PaymentCallback", "SupportPage", "SelfServicePage", "GuidePage", "RemindersPage"}


@pytest.mark.parametrize(
    ("tracing", "api", "traced"), [("off", False, set()), ("sampled", True, CALLED_BY_THE_API), ("all", True, None)]
)
def test_by_default_only_functions_for_which_api_gateway_has_decided_may_trace(
    tracing: str, api: bool, traced: set[str] | None, template: dict[str, Any]
) -> None:
    conditions = {"TracesNothing": tracing == "off", "TracesAll": tracing == "all"}
    resources = translated(template)
    functions = of_type(resources, "AWS::Lambda::Function")
    modes = {name: chosen(function["TracingConfig"]["Mode"], conditions) for name, function in functions.items()}

    assert template["Parameters"]["Tracing"]["AllowedValues"] == ["off", "sampled", "all"]
    assert template["Parameters"]["Tracing"]["Default"] == "sampled"
    assert {name for name, mode in modes.items() if mode == "Active"} == (set(modes) if traced is None else traced)
    assert set(modes.values()) <= {"Active", "PassThrough"}
    (stage,) = of_type(resources, "AWS::ApiGateway::Stage").values()
    assert chosen(stage["TracingEnabled"], conditions) is api


def test_one_call_of_this_api_in_twenty_is_traced_even_if_no_other_came_in_that_second(
    template: dict[str, Any],
) -> None:
    sampled = template["Resources"]["SampledCalls"]
    rule = sampled["Properties"]["SamplingRule"]
    title = translated(template)["Api"]["Properties"]["Body"]["info"]["title"]

    assert template["Conditions"][sampled["Condition"]] == {
        "Fn::And": [{"Fn::Equals": [{"Ref": "Tracing"}, "sampled"]}, {"Condition": "IsOnAws"}]
    }
    assert (rule["ReservoirSize"], rule["FixedRate"]) == (0, 0.01)
    assert title == {"Ref": "AWS::StackName"}
    assert rule["ServiceName"] == {"Fn::Sub": "${AWS::StackName}/v1"}


@pytest.mark.parametrize(("name", "fits"), [*((name, True) for name in PROVIDERS), ("strip", False), ("", False)])
def test_the_hours_of_silence_can_be_set_for_every_door_and_no_other(
    name: str, fits: bool, template: dict[str, Any]
) -> None:
    pattern = template["Parameters"]["QuietDoors"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, f"{name}=48,{name}=0")) is fits
    assert re.fullmatch(pattern, "")


def test_ses_tells_what_became_of_a_mail_and_tracks_nobody(resources: dict[str, Any]) -> None:
    (events,) = of_type(resources, "AWS::SES::ConfigurationSetEventDestination").values()
    destination = events["EventDestination"]

    assert destination["Enabled"] is True
    assert set(destination["MatchingEventTypes"]) == {
        "send", "delivery", "deliveryDelay", "bounce", "complaint", "reject",
    }  # fmt: skip
    assert resources["ConfigurationSet"]["Properties"]["VdmOptions"] == {
        "DashboardOptions": {"EngagementMetrics": "DISABLED"}
    }
    # A complaint about a mail that a stranger asked for must not stop what is paid for: Keypost itself keeps that list.
    assert resources["ConfigurationSet"]["Properties"]["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE"]}


def test_the_rule_takes_the_events_of_this_stacks_mail_and_of_no_other(
    local: LocalStack, resources: dict[str, Any]
) -> None:
    rule = resources["MailEventsRule"]["Properties"]
    pattern = json.dumps(rule["EventPattern"]).replace(json.dumps({"Ref": "ConfigurationSet"}), '"keypost"')

    def matches(event: Any) -> bool:
        client = local.session.client("events")
        return bool(client.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"])

    for path in sorted((ROOT / "events/ses").glob("*.json")):
        event = json.loads(path.read_text("utf-8"))
        assert matches(event), path.name
        event["detail"]["mail"]["tags"]["ses:configuration-set"] = ["another"]
        assert not matches(event)
    assert not matches(json.loads(path.read_text("utf-8")) | {"source": "our.own"})


def test_what_ses_tells_reaches_its_function_or_a_queue_that_raises_an_alarm(
    resources: dict[str, Any], functions: dict[str, Any]
) -> None:
    queue, dead = {"Fn::GetAtt": ["FeedbackQueue", "Arn"]}, {"Fn::GetAtt": ["FeedbackDeadLetters", "Arn"]}
    (target,) = resources["MailEventsRule"]["Properties"]["Targets"]
    (statement,) = resources["FeedbackQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    told = functions["MailFeedback"]["Events"]["Told"]["Properties"]

    assert (target["Arn"], target["DeadLetterConfig"]) == (queue, {"Arn": dead})
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["MailEventsRule", "Arn"]}}}
    assert statement["Resource"] == [queue, dead]
    assert (told["Queue"], told["FunctionResponseTypes"]) == (queue, ["ReportBatchItemFailures"])
    assert resources["FeedbackQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == dead
    assert resources["FeedbackDeadLetterAlarm"]["Properties"]["Dimensions"][0]["Value"] == {
        "Fn::GetAtt": ["FeedbackDeadLetters", "QueueName"]
    }


def test_mail_leaves_while_the_dns_of_its_return_address_is_missing(resources: dict[str, Any]) -> None:
    assert resources["Identity"]["Properties"]["MailFromAttributes"] == {
        "MailFromDomain": {"Fn::Sub": "bounce.${MailDomain}"},
        "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
    }


def test_the_workers_that_may_run_at_once_are_those_that_share_the_pace(functions: dict[str, Any]) -> None:
    poked = functions["AdvanceOrders"]["Events"]["Poked"]["Properties"]

    assert poked["ScalingConfig"] == {"MaximumConcurrency": wiring.WORKERS}
    slow_ses, slowest_pace = 13, wiring.WORKERS / 1  # seconds; in the sandbox SES accepts one mail per second
    assert poked["BatchSize"] * (slow_ses + slowest_pace) < functions["AdvanceOrders"]["Timeout"]
