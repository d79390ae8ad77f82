"""The authorizer of the support API. API Gateway asks it whether a key or token is valid, and remembers an accepted one
for 50 seconds."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry, wiring
from keypost.core.errors import CredentialRefused
from keypost.core.keys import Agent, check, key_id
from keypost.core.periods import local_day


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        agent = _agent(event.get("authorizationToken", ""))
    except CredentialRefused as error:
        telemetry.outcome("SupportKeyRefused", reason=str(error))
        raise Exception("Unauthorized") from None  # noqa: TRY002 - the very words that become a 401
    if not agent.scopes:
        telemetry.outcome("SupportKeyRefused", reason="no scope")
    return _verdict(agent, event["methodArn"])


def _agent(header: str) -> Agent:
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialRefused("no_bearer")
    return wiring.tokens().agent(credential) if wiring.config().support_issuer else _by_key(credential)


def _by_key(key: str) -> Agent:
    now, named = datetime.now(UTC), key_id(key)
    kept = wiring.store().support_key(named) if named else None
    agent = check(key, kept, now)
    today = local_day(now, wiring.config().zone)
    if kept and kept.last_used != today:
        try:
            wiring.store().note_support_key_used(kept.id, today)
        except (ClientError, BotoCoreError) as error:
            telemetry.failure(error)  # nobody is turned away for that
    return agent


def _verdict(agent: Agent, method_arn: str) -> dict[str, Any]:
    """For every route, since API Gateway takes a kept verdict for all of them. Who has no scope at all may call none;
    which scope a route asks for, the support API knows."""
    api, stage = method_arn.split("/")[:2]
    effect = "Allow" if agent.scopes else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": agent.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"agent": agent.name, "scopes": " ".join(agent.scopes)},
    }
