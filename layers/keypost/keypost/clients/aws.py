"""How AWS is called: how often, how long, with which certificates, and without what a call does not need."""

from pathlib import Path
from typing import Any

from botocore.config import Config

# SendEmail and SendMessage have no idempotency token, so a second attempt by the SDK is a second mail or message.
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10)
SEVERAL_ATTEMPTS = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=5)

# The roots of Amazon's own authority, which signs for AWS outside China. To read all roots of the world, as a client
# otherwise does for each connection, takes forty times as long as a call. Providers' APIs are called with all roots.
AMAZON_ROOTS = Path(__file__).parent / "amazon_roots.pem"


# Before each call boto3 describes itself and the machine in a header, and checks each parameter, as AWS does too: that
# is a quarter of what a call costs. The tests' own clients are as boto3 makes them, and check what we send.
_BRIEF = Config(user_agent="keypost", parameter_validation=False)


def client(session: Any, service: str, config: Config) -> Any:
    """A client of a service in the session's region. In other partitions than the public one it trusts all roots."""
    is_public = session.get_partition_for_region(session.region_name) == "aws"
    return session.client(service, config=config.merge(_BRIEF), verify=str(AMAZON_ROOTS) if is_public else None)
