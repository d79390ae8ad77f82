"""The template as CloudFormation gets it from SAM, and what remains of it with certain parameters: conditions decided,
parameters filled in. What CloudFormation itself does is not here."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

REGION = "eu-west-1"
NEEDED = {  # the parameters that have no default
    "ShopName": "Softwarehuis",
    "ShopAddress": "Kade 1, Delft",
    "MailDomain": "mail.shop.example",
    "SupportAddress": "help@shop.example",
}
_NO_VALUE = object()  # what AWS::NoValue leaves out


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation makes with these parameters."""

    resources: Mapping[str, Any]
    outputs: Mapping[str, Any]


class NoManagedPolicies(ManagedPolicyLoader):
    """The template names no policy of AWS's own, so there is none to look up in an account."""

    def __init__(self) -> None:
        """Without the client that the base class would ask."""

    def load(self) -> dict[str, str]:
        return {}


def of_type(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def whole(template: Mapping[str, Any], parameters: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The template that CloudFormation gets from SAM, with the resources that SAM adds by itself. SAM knows the
    parameters, and lets some of them decide what it adds."""
    source = deepcopy(dict(template))
    source["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    for layer in of_type(source["Resources"], "AWS::Serverless::LayerVersion").values():
        layer["ContentUri"] = "s3://bucket/layer.zip"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        return dict(transform(source, dict(parameters), NoManagedPolicies()))


def translated(template: Mapping[str, Any]) -> dict[str, Any]:
    """The resources of that template."""
    return dict(whole(template)["Resources"])


def metrics_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The metrics that an alarm reads: one, or those with which it computes."""
    if "Metrics" not in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def stack_with(template: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
    """What remains of a translated template with these parameters, and the defaults of the others."""
    values = {name: described.get("Default") for name, described in template["Parameters"].items()} | NEEDED
    at = _Decided(template["Conditions"], values | dict(parameters))
    return Stack(*(at.remaining(template[section]) for section in ("Resources", "Outputs")))


def conditions_with(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, bool]:
    values = {name: described.get("Default") for name, described in template["Parameters"].items()} | NEEDED
    at = _Decided(template["Conditions"], values | dict(parameters))
    return {name: at.holds(name) for name in template["Conditions"]}


@dataclass(frozen=True, slots=True)
class _Decided:
    conditions: Mapping[str, Any]
    parameters: Mapping[str, Any]

    def holds(self, condition: str) -> bool:
        return bool(self.value(self.conditions[condition]))

    def remaining(self, section: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.value({key: each for key, each in described.items() if key != "Condition"})
            for name, described in section.items()
            if "Condition" not in described or self.holds(described["Condition"])
        }

    def value(self, value: Any) -> Any:
        """The value with everything in it that parameters decide."""
        if isinstance(value, list):
            return [each for each in map(self.value, value) if each is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, given),) = value.items()
            decide = _FUNCTIONS.get(function)
            if decide and not (function == "Condition" and not isinstance(given, str)):  # of an IAM statement
                return decide(self, given)
        resolved = {key: self.value(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not _NO_VALUE}

    def sub(self, text: Any) -> Any:
        """The text, if parameters say all that is left out in it."""
        names = re.findall(r"\$\{([^}!]+)\}", text) if isinstance(text, str) else [""]
        if not all(isinstance(self.parameters.get(name), str) for name in names):
            return {"Fn::Sub": text}
        return re.sub(r"\$\{([^}!]+)\}", lambda found: str(self.parameters[found[1]]), text)

    def ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self.parameters.get(name, {"Ref": name})


_FUNCTIONS: Any = {
    "Ref": _Decided.ref,
    "Condition": _Decided.holds,
    "Fn::Sub": _Decided.sub,
    "Fn::If": lambda at, given: at.value(given[1] if at.holds(given[0]) else given[2]),
    "Fn::Equals": lambda at, given: str(at.value(given[0])) == str(at.value(given[1])),
    "Fn::Not": lambda at, given: not at.value(given[0]),
    "Fn::And": lambda at, given: all(map(at.value, given)),
    "Fn::Or": lambda at, given: any(map(at.value, given)),
}


def names_in(value: Any) -> Iterator[str]:
    """Every parameter, resource and condition that a value names."""
    if isinstance(value, list):
        for each in value:
            yield from names_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _named_by(key, each)


def _named_by(key: str, given: Any) -> Iterator[str]:
    if key in {"Ref", "Condition"} and isinstance(given, str):
        yield given
    elif key == "Fn::GetAtt":
        yield given[0] if isinstance(given, list) else given.partition(".")[0]
    elif key == "Fn::Sub":
        text, own = given if isinstance(given, list) else (given, {})
        yield from (name for name in re.findall(r"\$\{([A-Za-z0-9:]+)[.}A-Za-z0-9]*\}", text) if name not in own)
        yield from names_in(own)
    elif key == "Fn::If":
        yield given[0]
        yield from names_in(given[1:])
    else:
        yield from names_in(given)


def fixed_at_creation(kind: str) -> set[str]:
    """The properties whose change replaces a resource of this type, as its own schema says."""
    schema: Any = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    paths = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return {path.removeprefix("/properties/").partition("/")[0] for path in paths}


def deciding(template: Mapping[str, Any], value: Any) -> set[str]:
    """The parameters on which a value depends, also through conditions and through resources that they replace."""
    found = set()
    for name in set(names_in(value)):
        if name in template["Parameters"]:
            found.add(name)
        elif name in template["Conditions"]:
            found |= deciding(template, template["Conditions"][name])
        elif name in template["Resources"]:
            found |= set().union(*replaced_by(template, name).values())
    return found


def replaced_by(template: Mapping[str, Any], resource_id: str) -> dict[str, set[str]]:
    """The parameters whose change replaces or removes a resource, by the property through which they do."""
    resource = template["Resources"][resource_id]
    fixed = {name: resource.get("Properties", {}).get(name) for name in fixed_at_creation(resource["Type"])}
    if "Condition" in resource:
        fixed["Condition"] = {"Condition": resource["Condition"]}
    found = {name: deciding(template, value) for name, value in fixed.items()}
    return {name: parameters for name, parameters in found.items() if parameters}
