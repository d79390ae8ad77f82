"""What `keypost setup` asks, with the sense of each answer, and what is wrong with one. The template itself says which
values a parameter may have."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import boto3

from cli import revisions
from cli.places import ROOT, TEMPLATE, is_release
from cli.setup.answers import Answers
from keypost.core.said import Said, said
from keypost.providers import PROVIDERS

REGION, DOORS = "region", "providers"  # the questions that are no parameters
FIRST_REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    sense: Said
    default: Callable[[Answers], str] = lambda _: ""
    is_asked: Callable[[Answers], bool] = lambda _: True


def _uses(provider: str) -> Callable[[Answers], bool]:
    return lambda answers: provider in (answers.providers or ())


QUESTIONS = (
    Question("Stage", said("setup_stage"), lambda _: "test"),
    Question(REGION, said("setup_region"), lambda _: FIRST_REGION),
    Question("ShopName", said("setup_shop_name")),
    Question("ShopAddress", said("setup_shop_address")),
    Question("ShopKvk", said("setup_shop_kvk")),
    Question("MailDomain", said("setup_mail_domain")),
    Question("SupportAddress", said("setup_support_address")),
    Question("AlarmAddress", said("setup_alarm_address"), lambda answers: answers.parameters["SupportAddress"]),
    Question("SupportLanguage", said("setup_support_language"), lambda _: "nl"),
    Question("ShopLanguage", said("setup_shop_language"), lambda _: "nl"),
    Question(DOORS, said("setup_providers", names=sorted(PROVIDERS))),
    Question("MollieProfile", said("setup_mollie_profile"), is_asked=_uses("mollie-events")),
    Question("WooCommerceUrl", said("setup_woocommerce_url"), is_asked=_uses("woocommerce")),
    Question("MoneybirdAdministration", said("setup_moneybird_administration"), is_asked=_uses("moneybird")),
    Question("EventsUrl", said("setup_events_url")),
    Question("HeartbeatUrl", said("setup_heartbeat_url")),
)


def unanswered(answers: Answers) -> Iterator[Question]:
    """The questions that are to be asked and have no answer yet; answers may add some."""
    for question in QUESTIONS:
        if question.is_asked(answers) and answer_to(question.name, answers) is None:
            yield question


def answer_to(name: str, answers: Answers) -> str | None:
    """The answer as one types it; None if there is none yet."""
    if name == REGION:
        return answers.region or None
    if name == DOORS:
        return None if answers.providers is None else ",".join(answers.providers)
    return answers.parameters.get(name)


def with_answer(name: str, value: str, answers: Answers) -> Answers:
    if name == REGION:
        return replace(answers, region=value)
    if name == DOORS:
        return replace(answers, providers=tuple(each.strip() for each in value.split(",") if each.strip()))
    return answers.with_parameter(name, value)


def of_stack(stack: str, region: str, parameters_there: Mapping[str, str]) -> Answers:
    """The answers with which a stack stands: what is asked, and what is not as the template has it by default."""
    asked = {question.name for question in QUESTIONS if question.is_asked(Answers(stack))}
    own = {
        name: value
        for name, value in parameters_there.items()
        if name in parameters().keys() - {revisions.NAME}
        and (name in asked or value != str(parameters()[name].get("Default", "")))
    }
    return Answers(stack, region, None, own)


def fault_of(name: str, value: str) -> Said | None:
    """What is wrong with an answer; None if nothing is."""
    if name == REGION:
        return fault_of_region(value, regions("lambda"), regions("sesv2"))
    if name == DOORS:
        return _fault_of_doors(value)
    if name == "MailDomain" and "." not in value.strip("."):
        return said("not_a_domain", value=value)
    if name == "Stage" and value == "local":
        return said("stage_local_is_here_only")
    return _fault_of_parameter(name, value, parameters()[name])


def fault_of_region(value: str, known: Collection[str], with_ses: Collection[str]) -> Said | None:
    if value not in known:
        return said("no_such_region", region=value)
    return None if value in with_ses else said("region_without_ses", region=value)


def is_in_the_eu(region: str) -> bool:
    """Of the regions of Europe, London and Zurich are outside of the EU."""
    return region.startswith("eu-") and region not in ("eu-west-2", "eu-central-2")


@cache
def regions(service: str) -> frozenset[str]:
    """The regions in which AWS has a service, as botocore knows them."""
    return frozenset(boto3.Session().get_available_regions(service))


def _fault_of_doors(value: str) -> Said | None:
    named = [each.strip() for each in value.split(",") if each.strip()]
    unknown = sorted(set(named) - PROVIDERS.keys())
    if unknown or not named:
        return said("choose_providers", names=unknown or None, known=sorted(PROVIDERS))
    return None


def _fault_of_parameter(name: str, value: str, described: Mapping[str, Any]) -> Said | None:
    if any(ord(sign) < ord(" ") or ord(sign) == 0x7F for sign in value):  # noqa: PLR2004 - DEL
        return said("answer_unfit", name=name, form="")
    if len(value) < described.get("MinLength", 0):
        return said("answer_is_empty", name=name)
    one_of = described.get("AllowedValues")
    if one_of and value not in one_of:
        return said("answer_unfit", name=name, form=", ".join(map(str, one_of)))
    pattern = described.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        return said("answer_unfit", name=name, form=pattern) if value else said("answer_is_empty", name=name)
    return None


@cache
def parameters() -> Mapping[str, Mapping[str, Any]]:
    """The parameters of the template, as it describes them."""
    if is_release():
        return dict(json.loads(TEMPLATE.read_text("utf-8"))["Parameters"])
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - half a second, which only `setup` needs

    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    return dict(parsed["Parameters"])
