"""Which key may call which route of the support API: every route of template.yaml, with every kind of key, on the
deployed stack. A new route must get its scope here."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from keypost.api.app import ROUTES as ANSWERED
from keypost.core.keys import SCOPES, new_key

Route = tuple[str, str]

SCOPE_OF: dict[Route, str] = {
    ("POST", "/orders/search"): "support",
    ("GET", "/orders"): "support",
    ("GET", "/orders/{order_id}"): "support",
    ("GET", "/orders/{order_id}/mails/{mail_id}/preview"): "support",
    ("GET", "/orders/{order_id}/proof"): "support",
    ("POST", "/orders/{order_id}/resend"): "support",
    ("PUT", "/orders/{order_id}/email"): "contact",
    ("POST", "/orders/{order_id}/licenses/{license_id}/replace"): "support",
    ("POST", "/orders/{order_id}/hold"): "support",
    ("POST", "/orders/{order_id}/release"): "support",
    ("PUT", "/orders/{order_id}/contents"): "orders",
    ("PUT", "/orders/{order_id}/lines/{n}/renewal"): "orders",
    ("POST", "/orders/{order_id}/lines/{n}/renewal/stop"): "orders",
    ("POST", "/orders/{order_id}/blocked"): "support",
    ("POST", "/orders/{order_id}/close"): "support",
    ("POST", "/orders/{order_id}/subscription-ended"): "support",
    ("PUT", "/orders/{order_id}/customer"): "contact",
    ("POST", "/orders/{order_id}/note"): "support",
    ("POST", "/orders/{order_id}/reminders/stop"): "support",
    ("POST", "/orders/{order_id}/lift-complaint"): "complaints",
    ("POST", "/orders"): "orders",
    ("POST", "/orders/{order_id}/withdraw"): "orders",
    ("POST", "/orders/{order_id}/licenses/{license_id}/move"): "orders",
    ("POST", "/orders/{order_id}/licenses/{license_id}/refunded"): "support",
    ("POST", "/customers/erase"): "privacy",
    ("POST", "/customers/export"): "privacy",
    ("GET", "/export/orders"): "privacy",
    ("POST", "/stock/{sku}"): "stock",
    ("GET", "/stock"): "stock",
    ("POST", "/stock/{sku}/withdraw"): "stock",
    ("POST", "/stock/{sku}/put-back"): "stock",
    ("POST", "/stock/{sku}/move"): "stock",
    ("POST", "/batches/orders"): "stock",
    ("POST", "/batches/replace"): "stock",
    ("PUT", "/products/{sku}"): "catalog",
    ("GET", "/products"): "catalog",
    ("GET", "/attention"): "support",
    ("GET", "/inbox"): "support",
    ("GET", "/mails"): "support",
    ("POST", "/mails/resend"): "support",
    ("GET", "/due"): "support",
}
OPEN = {
    "/callbacks/{provider}",
    "/resend",
    "/reminders/{link}",
    "/activate",
    "/activate/{sku}",
}  # open to everybody: callbacks are signed, /resend sends licenses only to their owner, a link of /reminders cannot be
# guessed, and the guide tells of nobody
PAGE = {"/support", "/support/{file}"}  # the page that asks for a key; closed to other networks, as the API is
OUTSIDE, INSIDE, INSIDE_6 = "198.51.100.7", "203.0.113.9", "2001:db8::9"


def _routes() -> Iterator[tuple[Route, str | None]]:
    """Every route, and which authorizer it has."""
    template = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    assert "DefaultAuthorizer" not in template["Resources"]["Api"]["Properties"]["Auth"]
    for resource in template["Resources"].values():
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] == "Api":
                route = event["Properties"]
                yield (route["Method"], route["Path"]), route.get("Auth", {}).get("Authorizer")


ROUTES = list(_routes())
SUPPORT_ROUTES = [route for route, authorizer in ROUTES if authorizer == "SupportKey"]


def path_of(route: Route) -> str:
    """The path with parameters that name nothing which exists."""
    return re.sub("{.*?}", "nothing-here", route[1])


def test_every_route_wants_a_key_but_those_that_prove_themselves() -> None:
    assert {path for (_, path), authorizer in ROUTES if authorizer != "SupportKey"} == OPEN | PAGE


def test_every_route_that_wants_a_key_has_its_scope_here() -> None:
    assert set(SUPPORT_ROUTES) <= set(SCOPE_OF)


def test_the_gateway_has_every_route_that_the_api_answers() -> None:
    """Of two events of one name in template.yaml the second one counts, and nobody says so."""
    assert set(SUPPORT_ROUTES) == set(ANSWERED)


@pytest.fixture(scope="module")
def keys(local: LocalStack) -> dict[str, str]:
    """For each scope a key with this scope only, and one with all others; and keys with all scopes that are expired or
    revoked."""
    now, store, made = datetime.now(UTC).replace(microsecond=0), local.stack.store, {}
    for scope in SCOPES:
        made[scope], kept = new_key(f"only {scope}", [scope], 365, now)
        store.put_support_key(kept)
        made[f"not {scope}"], kept = new_key(f"not {scope}", [each for each in SCOPES if each != scope], 365, now)
        store.put_support_key(kept)
    made["expired"], kept = new_key("expired", SCOPES, 365, now)
    store.put_support_key(replace(kept, expires_at=now - timedelta(seconds=1)))
    made["revoked"], kept = new_key("revoked", SCOPES, 365, now)
    store.put_support_key(kept)
    store.revoke_support_key(kept.id, now)
    made["never made"], _ = new_key("unknown", SCOPES, 365, now)
    made["wrong"] = made["support"][:-64] + made["never made"][-64:]
    return made


Call = Callable[[Route, str | None], int]


@pytest.fixture
def call(local: LocalStack) -> Call:
    def ask(route: Route, authorization: str | None) -> int:
        method, body = route[0], None if route[0] == "GET" else b"{}"
        headers = {} if authorization is None else {"Authorization": authorization}
        return local.call(path_of(route), body, {"Content-Type": "application/json", **headers}, method)[0]

    return ask


every_route = pytest.mark.parametrize("route", SUPPORT_ROUTES, ids=" ".join)


@pytest.mark.journey
@every_route
def test_nobody_gets_in_without_a_key(call: Call, route: Route) -> None:
    assert call(route, None) == 401


@pytest.mark.drill  # tests/functions/test_support_auth.py shows the same of one route
@pytest.mark.journey
@every_route
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic {0}", "{0}", "Bearer {0}x", "Bearer {0} {0}"])
def test_nobody_gets_in_with_something_that_is_no_key(
    call: Call, keys: dict[str, str], route: Route, header: str
) -> None:
    assert call(route, header.format(keys[SCOPE_OF[route]])) == 401


@pytest.mark.drill  # tests/functions/test_support_auth.py shows the same of one route
@pytest.mark.journey
@every_route
@pytest.mark.parametrize("kind", ["wrong", "never made", "expired", "revoked"])
def test_nobody_gets_in_with_a_key_that_is_not_good(call: Call, keys: dict[str, str], route: Route, kind: str) -> None:
    assert call(route, f"Bearer {keys[kind]}") == 401


@pytest.mark.journey
@every_route
def test_a_key_opens_what_its_scope_says_and_all_other_scopes_together_do_not(
    call: Call, keys: dict[str, str], route: Route
) -> None:
    scope = SCOPE_OF[route]

    assert call(route, f"Bearer {keys[scope]}") in {200, 202, 400, 404, 422}
    assert call(route, f"Bearer {keys[f'not {scope}']}") == 403


@pytest.mark.drill
@pytest.mark.journey
@every_route
def test_a_key_opens_what_its_scope_says_and_nothing_else(call: Call, keys: dict[str, str], route: Route) -> None:
    answers = {scope: call(route, f"Bearer {keys[scope]}") for scope in SCOPES}

    assert answers.pop(SCOPE_OF[route]) in {200, 202, 400, 404, 422}
    assert answers == dict.fromkeys(answers, 403)


@pytest.mark.journey
@pytest.mark.parametrize("route", [route for route in SUPPORT_ROUTES if route[0] == "GET"], ids=" ".join)
def test_a_refusal_is_a_problem_that_says_what_to_do(local: LocalStack, route: Route) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(local.api_url + path_of(route), timeout=30)

    with refused.value as answer:
        problem = json.load(answer)
    assert (answer.code, problem["status"]) == (401, 401)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Ask whoever runs Keypost for a key" in problem["detail"]
    assert "Bearer" not in problem["detail"]


@pytest.mark.journey
@pytest.mark.parametrize("path", ["/nothing", "/orders/a%2Fb/c", "/due"])
def test_a_path_that_does_not_exist_or_not_with_this_method_is_a_problem_too(local: LocalStack, path: str) -> None:
    status, said = local.call(path, None, {"Authorization": f"Bearer {local.support_key}"}, "DELETE")

    assert (status, json.loads(said)["status"]) == (404, 404)
    assert "no such path" in json.loads(said)["detail"]


def test_a_revoked_key_is_refused_within_a_minute(template: dict[str, Any]) -> None:
    """The authorizer reads the present state of the key, and API Gateway asks it again after this number of seconds."""
    authorizer = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["SupportKey"]

    assert authorizer["FunctionPayloadType"] == "TOKEN"  # API Gateway caches an answer under the header alone
    assert authorizer["Identity"]["Header"] == "Authorization"
    assert 0 < authorizer["Identity"]["ReauthorizeEvery"] <= 60 - 10


@pytest.mark.parametrize(
    ("header", "goes_on"),
    [
        pytest.param("Bearer " + new_key("anna", SCOPES, 1, datetime.now(UTC))[0], True, id="a key"),
        ("bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_", True),
        ("Bearer kp_0123456789_0123", False),
        ("Bearer a.b", False),
        ("Bearer a.b.c.d", False),
        ("Basic a.b.c", False),
        ("Bearer  a.b.c", False),
        ("Bearer a.b.c\n", False),
    ],
)
def test_what_cannot_be_a_key_or_a_token_wakes_nothing_of_ours(
    template: dict[str, Any], header: str, goes_on: bool
) -> None:
    authorizer = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["SupportKey"]

    assert bool(re.fullmatch(authorizer["Identity"]["ValidationExpression"], header)) is goes_on


@pytest.mark.parametrize(
    ("networks", "caller", "closed"),
    [
        ("", OUTSIDE, False),
        ("", INSIDE_6, False),
        ("203.0.113.0/24", INSIDE, False),
        ("203.0.113.0/24", OUTSIDE, True),
        ("203.0.113.0/24", INSIDE_6, True),
        ("192.0.2.1/32,2001:db8::/32", INSIDE_6, False),
    ],
)
def test_support_can_be_closed_to_other_networks_and_callbacks_stay_open(
    template: dict[str, Any], networks: str, caller: str, closed: bool
) -> None:
    given = template["Parameters"]["SupportNetworks"]
    assert re.fullmatch(given["AllowedPattern"], networks)
    api = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1"

    for route, _ in ROUTES:
        asked = EvalContext(
            "*", "Anonymous", "", "execute-api:Invoke", f"{api}/{route[0]}{path_of(route)}", "eu-west-1", caller
        )
        decision = evaluate_resource_policy(policy(template, networks), asked).decision
        assert decision == ("Deny" if closed and route[1] not in OPEN else "Allow"), route


def policy(template: dict[str, Any], networks: str) -> dict[str, Any]:
    """The policy of the API with this SupportNetworks, in the form of API Gateway."""
    allow, deny = template["Resources"]["Api"]["Properties"]["Auth"]["ResourcePolicy"]["CustomStatements"]
    condition, given, otherwise = deny["Condition"]["NotIpAddress"]["aws:SourceIp"]["Fn::If"]
    assert condition == "HasSupportNetworks"
    assert given == {"Fn::Split": [",", {"Ref": "SupportNetworks"}]}
    only = {"NotIpAddress": {"aws:SourceIp": networks.split(",") if networks else otherwise}}

    def spelled(resource: str) -> str:
        return resource.replace("execute-api:/", "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/")

    return {
        "Version": "2012-10-17",
        "Statement": [
            {**allow, "Resource": spelled(allow["Resource"])},
            {**deny, "Resource": [spelled(resource) for resource in deny["Resource"]], "Condition": only},
        ],
    }


@pytest.mark.parametrize("networks", ["203.0.113.9", "203.0.113.0/24, 192.0.2.1/32", "office", "203.0.113.0/24,"])
def test_what_is_no_list_of_networks_is_refused_before_it_closes_support_to_all(
    template: dict[str, Any], networks: str
) -> None:
    assert not re.fullmatch(template["Parameters"]["SupportNetworks"]["AllowedPattern"], networks)


def test_the_firewall_counts_everything_but_callbacks_and_is_off_unless_wanted(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    [rule] = resources["Firewall"]["Properties"]["Rules"]
    counted = rule["Statement"]["RateBasedStatement"]
    either = counted["ScopeDownStatement"]["NotStatement"]["Statement"]["OrStatement"]["Statements"]
    not_counted = [each["ByteMatchStatement"] for each in either]

    assert template["Parameters"]["WafRequestLimit"]["Default"] == "0"
    assert resources["Firewall"]["Condition"] == resources["FirewallOfApi"]["Condition"] == "HasFirewall"
    assert (rule["Action"], counted["AggregateKeyType"]) == ({"Block": {}}, "IP")
    assert [(each["PositionalConstraint"], each["SearchString"]) for each in not_counted] == [
        ("STARTS_WITH", "/v1/callbacks/"),
        ("STARTS_WITH", "/callbacks/"),  # with the stage in front of the path, and without it
    ]
