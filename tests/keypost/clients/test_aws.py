"""How AWS is called: which certificates are trusted, and what is left out of a call."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore
import certifi
import pytest
import urllib3
from botocore.exceptions import ParamValidationError
from cryptography import x509

from keypost import wiring
from keypost.clients import aws

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def roots(path: Path) -> dict[str, str]:
    """Amazon's roots in a file of certificates, by their names."""
    found = {}
    for pem in _PEM.findall(path.read_text("utf-8")):
        name = x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()
        if re.search(r"Amazon|Starfield Services", name):
            found[name] = "".join(pem.split())
    return found


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("bundle", [Path(certifi.where()), Path(botocore.__file__).parent / "cacert.pem"])
def test_the_roots_for_aws_are_all_of_amazons_that_the_world_trusts(bundle: Path) -> None:
    ours = roots(aws.AMAZON_ROOTS)

    assert len(ours) == len(_PEM.findall(aws.AMAZON_ROOTS.read_text("utf-8"))) == 5
    assert ours == roots(bundle)


@pytest.mark.parametrize(
    ("region", "trusts_amazon_alone"),
    [
        ("eu-west-1", True),
        ("ap-southeast-5", True),
        ("eu-west-9", True),
        ("cn-north-1", False),
        ("us-gov-west-1", False),
    ],
)
def test_amazons_roots_alone_are_for_the_public_partition(region: str, trusts_amazon_alone: bool) -> None:
    session = boto3.Session(region_name=region, aws_access_key_id="id", aws_secret_access_key="key")

    client = aws.client(session, "sqs", aws.ONE_ATTEMPT)

    verify = client._endpoint.http_session._verify
    assert (verify == str(aws.AMAZON_ROOTS)) == trusts_amazon_alone


def test_a_call_names_us_and_no_machine_and_is_checked_by_aws_alone() -> None:
    session = boto3.Session(region_name="eu-west-1", aws_access_key_id="id", aws_secret_access_key="key")
    client, sent = aws.client(session, "sqs", aws.ONE_ATTEMPT), []

    def answer(params: Any, **_: Any) -> Any:
        sent.append(params["url_path"])
        return SimpleNamespace(status_code=200), {}

    client.meta.events.register("before-call", answer)
    client.get_queue_url()  # lacks a name

    assert sent == ["/"]
    assert aws._BRIEF.user_agent == "keypost"  # type: ignore[attr-defined]
    with pytest.raises(ParamValidationError):
        session.client("sqs").get_queue_url()  # type: ignore[call-arg]


def test_providers_are_called_with_the_roots_of_the_whole_world() -> None:
    pool = wiring._pool()

    assert isinstance(pool, urllib3.PoolManager)
    assert not {"ca_certs", "ssl_context"} & pool.connection_pool_kw.keys()
