"""The authorizer of the support API. API Gateway asks it whether a key or token is valid, and remembers an accepted one
for 50 seconds."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.core.errors import CredentialRefused
from keypost.core.keys import Agent
from keypost.inputs import gateway
from keypost.use_cases.admit import admit

wiring.warm(wiring.support_keys)


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
    return gateway.verdict(agent, event["methodArn"])


def _agent(header: str) -> Agent:
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialRefused("no_bearer")
    if wiring.config().support_issuer:
        return wiring.tokens().agent(credential)
    return admit(credential, wiring.support_keys(), datetime.now(UTC), wiring.config().zone)
