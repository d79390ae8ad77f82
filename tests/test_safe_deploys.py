"""A deploy as AWS gets it: every way into a function leads through its alias, whatever changes makes a new version, and
traffic shifts to it bit by bit, or not at all where that is turned off."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from cli import pausing, revisions, serving
from cli.local.deploy import ROOT
from tests.translated import NEEDED, deciding, names_in, of_type, stack_with, whole

FUNCTION = "AWS::Lambda::Function"
WITH_EVENTS = {"EventsBus": "on", "EventsUrl": "https://shop.example/events"}  # without, two functions are left out
SHIFTING = {"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"}


KNOWN = {*serving.ROUTES, *serving.EVENTS, *serving.UNASKED}


@cache
def raw() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    return parsed


def resources(**parameters: str) -> dict[str, Any]:
    parameters = WITH_EVENTS | parameters
    return dict(stack_with(whole(raw(), NEEDED | parameters), parameters).resources)


@pytest.fixture(scope="module")
def live() -> dict[str, Any]:
    return resources()


def versions(of: Mapping[str, Any]) -> set[str]:
    return set(of_type(of, "AWS::Lambda::Version"))


# What names a function itself: the function's own parts, and alarms, which count all of its versions together.
OF_THE_FUNCTION = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Version",
}


def past_the_alias(of: Mapping[str, Any]) -> set[str]:
    """What reaches a function without its alias: it would always get the newest code, also after a deploy went back."""
    functions = of_type(of, FUNCTION).keys()
    others = {name: one for name, one in of.items() if one["Type"] not in OF_THE_FUNCTION}
    return {name for name, one in others.items() if functions & set(names_in(one))}


def test_every_way_into_a_function_leads_through_its_alias(live: dict[str, Any]) -> None:
    functions = of_type(live, FUNCTION).keys()

    assert {one["FunctionName"]["Ref"] for one in of_type(live, "AWS::Lambda::Alias").values()} == functions
    assert past_the_alias(live) == set()
    configs = of_type(live, "AWS::Lambda::EventInvokeConfig").values()
    assert {one["Qualifier"] for one in configs} == {"live"}


def test_an_authorizer_past_the_alias_would_be_seen() -> None:
    template = deepcopy(raw())
    authorizer = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["SupportKey"]
    authorizer["FunctionArn"] = {"Fn::GetAtt": ["SupportAuth", "Arn"]}

    assert past_the_alias(whole(template)["Resources"]) == {"Api", "ApiSupportKeyAuthorizerPermission"}


def test_a_new_layer_makes_a_new_version_of_every_function_that_has_it(live: dict[str, Any]) -> None:
    def with_another(layer: str) -> set[str]:
        template = deepcopy(raw())
        template["Resources"][layer]["Properties"]["Description"] = "another"
        made = versions(stack_with(whole(template, NEEDED), WITH_EVENTS).resources) - versions(live)
        return {re.split(r"Version", name)[0] for name in made}

    functions = of_type(live, FUNCTION).keys()
    assert with_another("KeypostLayer") == with_another("DependenciesLayer") == functions
    assert with_another("TokensLayer") == {"SupportAuth", "SupportPage"}


def test_each_deploy_that_differs_makes_new_versions_and_sam_alone_would_not(live: dict[str, Any]) -> None:
    """SAM does not see that a parameter changed, so its functions would keep the former settings."""
    same = versions(resources(ShopName="Another shop"))

    assert same == versions(live)
    assert versions(resources(Revision="0123456789ab")).isdisjoint(versions(live))
    assert len(versions(live)) == len(of_type(live, FUNCTION))


def test_the_revision_differs_with_each_file_and_each_parameter_that_a_function_has(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("1")
    first = revisions.revision_of(NEEDED, [tmp_path])

    assert re.fullmatch(raw()["Parameters"]["Revision"]["AllowedPattern"], first)
    assert revisions.revision_of(NEEDED | {"Revision": first, "TableProtection": "off"}, [tmp_path]) == first
    assert revisions.revision_of(NEEDED | {"ShopName": "Another"}, [tmp_path]) != first
    (tmp_path / "one.py").rename(tmp_path / "two.py")
    renamed = revisions.revision_of(NEEDED, [tmp_path])
    (tmp_path / "two.py").write_text("2")
    assert len({first, renamed, revisions.revision_of(NEEDED, [tmp_path])}) == 3


def test_what_the_revision_leaves_out_reaches_no_function() -> None:
    template = whole(raw())
    decided = set().union(*(deciding(template, one) for one in of_type(template["Resources"], FUNCTION).values()))

    assert {"ShopName", "Tracing"} < decided
    assert decided & revisions.OF_NO_FUNCTION == set()


def test_traffic_shifts_to_each_new_version_and_goes_back_when_it_fails(live: dict[str, Any]) -> None:
    groups = of_type(live, "AWS::CodeDeploy::DeploymentGroup")

    assert len(groups) == len(of_type(live, FUNCTION))
    for group in groups.values():
        assert [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]] == [
            "NewWorkerAlarm",
            "NewCallbackAlarm",
        ]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    for name, resource in live.items():
        if resource["Type"] == "AWS::Lambda::Alias":
            assert resource["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] in groups, name


@pytest.mark.parametrize(
    ("alarm", "function"), [("NewWorkerAlarm", "AdvanceOrders"), ("NewCallbackAlarm", "PaymentCallback")]
)
def test_an_alarm_that_stops_a_deploy_looks_at_the_new_version_alone(
    live: dict[str, Any], alarm: str, function: str
) -> None:
    """One that rings already would refuse the very deploy that mends its cause."""
    looked_at = {each["Name"]: each["Value"] for each in live[alarm]["Properties"]["Dimensions"]}
    (version,) = (name for name in versions(live) if name.startswith(f"{function}Version"))

    assert looked_at == {
        "FunctionName": {"Ref": function},
        "Resource": {"Fn::Sub": f"${{{function}}}:live"},
        "ExecutedVersion": {"Fn::GetAtt": [version, "Version"]},
    }


@pytest.mark.parametrize("off", [{"GradualDeploys": "off"}, {"Emulated": "yes"}], ids=str)
def test_without_gradual_deploys_a_new_version_gets_all_calls_at_once(off: dict[str, str]) -> None:
    made = resources(**off)

    assert {one["Type"] for one in made.values()} & SHIFTING == set()
    assert "CodeDeploy" not in json.dumps(made)
    assert of_type(made, "AWS::Lambda::Alias").keys() == of_type(resources(), "AWS::Lambda::Alias").keys()


def test_the_check_after_a_deploy_knows_every_function(live: dict[str, Any]) -> None:
    assert of_type(live, FUNCTION).keys() == KNOWN


def test_what_stays_still_after_a_restore_is_all_that_writes_to_customers_or_reads_what_became_of_it(
    live: dict[str, Any],
) -> None:
    queues = of_type(live, "AWS::Lambda::EventSourceMapping").values()
    readers = {one["FunctionName"]["Ref"].removesuffix("Aliaslive") for one in queues}

    assert readers | {"FindDueOrders", "WriteDailyNote"} == set(pausing.HAND)


def test_former_versions_stay_so_that_there_is_one_to_go_back_to(live: dict[str, Any]) -> None:
    assert {live[name]["DeletionPolicy"] for name in versions(live)} == {"Retain"}
