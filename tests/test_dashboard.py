"""Each metric that the dashboard and the alarms show is one that something counts, at a price that AWS asks."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from tests.counted import counted_by_the_code
from tests.translated import Stack, metrics_of, names_in, of_type, stack_with, whole

FREE = 50  # metrics of a dashboard for which AWS asks nothing
SERVICE = "${AWS::StackName}"
PRICES = tomllib.loads((ROOT / "tests/bench/prices.toml").read_text("utf-8"))["eu-west-1"]
# Of AWS's own, which metrics there are, and the kind of resource that each dimension names.
OF_AWS = {
    "AWS/SQS": ({"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}, "AWS::SQS::Queue"),
    "AWS/Lambda": ({"Duration", "Invocations", "Errors", "Throttles"}, "AWS::Lambda::Function"),
    "AWS/DynamoDB": ({"ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"}, "AWS::DynamoDB::Table"),
    "AWS/ApiGateway": ({"Count", "5XXError"}, None),
    "AWS/Events": ({"TriggeredRules"}, "AWS::Events::Rule"),
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    template = whole(yaml_parse((ROOT / "template.yaml").read_text("utf-8")))  # type: ignore[no-untyped-call]
    return stack_with(template, {})


@pytest.fixture(scope="module")
def widgets(stack: Stack) -> list[Any]:
    body = stack.resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


def shown(widgets: list[Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The namespace, the name and the dimensions of each metric."""
    for metric in (each for widget in widgets for each in widget["metrics"]):
        words = [word for word in metric if isinstance(word, str)]
        if words:
            yield words[0], words[1], dict(zip(words[2::2], words[3::2], strict=True))


def expressions(widgets: list[Any]) -> dict[str, str]:
    found = [metric[0] for widget in widgets for metric in widget["metrics"] if isinstance(metric[0], dict)]
    return {each["id"]: each["expression"] for each in found}


def unknown(metrics: Iterator[tuple[str, str, dict[str, Any]]], counted: set[str]) -> list[tuple[str, str]]:
    """The metrics that nothing counts."""
    return [
        (space, name)
        for space, name, _ in metrics
        if name not in (counted if space == "Keypost" else OF_AWS.get(space, ({}, None))[0])
    ]


def of_alarms(stack: Stack) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for alarm in of_type(stack.resources, "AWS::CloudWatch::Alarm").values():
        for each in metrics_of(alarm):
            yield each["Namespace"], each["MetricName"], {one["Name"]: one["Value"] for one in each["Dimensions"]}


def test_the_dashboard_and_the_alarms_show_only_what_the_code_or_aws_counts(stack: Stack, widgets: list[Any]) -> None:
    counted = counted_by_the_code()

    assert unknown(shown(widgets), counted) == []
    assert unknown(of_alarms(stack), counted) == []
    assert unknown(iter([("Keypost", "OrderLost", {})]), counted) == [("Keypost", "OrderLost")]


def test_the_dashboard_answers_what_an_operator_asks(widgets: list[Any]) -> None:
    ours = {name for space, name, _ in shown(widgets) if space == "Keypost"}

    assert ours >= {"OrderPaid", "LicenseIssued", "MailSent", "MailDelivered", "OrdersWaiting"}
    assert ours >= {"OldestDueMinutes", "OldestWaitingHours", "StockDays"}
    assert "cost" in expressions(widgets)


def test_it_shows_this_stack_and_costs_nothing(stack: Stack, widgets: list[Any]) -> None:
    distinct = {(space, name, *sorted(dimensions.items())) for space, name, dimensions in shown(widgets)}

    assert len(distinct) <= FREE
    for space, name, dimensions in shown(widgets):
        if space == "Keypost":
            assert dimensions == {"service": SERVICE}, name
        elif space == "AWS/ApiGateway":
            assert dimensions == {"ApiName": SERVICE, "Stage": "v1"}
        else:
            (resource,) = names_in({"Fn::Sub": " ".join(dimensions.values())})
            assert stack.resources[resource]["Type"] == OF_AWS[space][1]
    assert {widget["region"] for widget in widgets} == {"${AWS::Region}"}


def test_the_costs_are_at_the_prices_of_the_list_and_of_the_memory_that_functions_have(
    stack: Stack, widgets: list[Any]
) -> None:
    numbers = {name: re.findall(r"0\.\d+", text) for name, text in expressions(widgets).items()}
    functions = [each for each in shown(widgets) if each[0] == "AWS/Lambda"]
    memory = {stack.resources[each[2]["FunctionName"][2:-1]]["Properties"]["MemorySize"] for each in functions}

    assert numbers.pop("cost") == []
    assert memory == {float(numbers["time"].pop(0)) * 1024}
    assert {name: float(*found) for name, found in numbers.items()} == pytest.approx(
        {
            "mails": PRICES["mail"] / 1e6,
            "time": PRICES["gb_second"],
            "runs": PRICES["lambda_requests"] / 1e6,
            "calls": PRICES["rest_api"] / 1e6,
            "writes": PRICES["write_unit"] / 1e6,
            "reads": PRICES["read_unit"] / 1e6,
        }
    )


def test_every_part_of_the_cost_is_a_metric_of_the_widget_and_every_index_is_counted(
    stack: Stack, widgets: list[Any]
) -> None:
    (widget,) = [each for each in widgets if "cost" in json.dumps(each["metrics"])]
    ids: Mapping[str, Any] = {metric[-1]["id"]: metric for metric in widget["metrics"]}
    used = {name for text in expressions([widget]).values() for name in re.findall(r"\b[a-z]+\d?\b", text)}
    indexes = {each["IndexName"] for each in stack.resources["Table"]["Properties"]["GlobalSecondaryIndexes"]}

    assert used | {"cost"} == set(ids)
    assert {
        dims["GlobalSecondaryIndexName"] for _, _, dims in shown([widget]) if len(dims) == 2 and "TableName" in dims
    } == indexes
