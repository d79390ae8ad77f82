"""Our check of Mollie's next-generation signature, compared with the check in Mollie's own library."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator

from keypost.core.errors import SignatureRefused
from keypost.providers.mollie import verify_signature
from tests.builders import a_call

BODIES = st.text(st.characters(codec="utf-8"))
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
ASCII = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",")


def sign(body: str, secret: str) -> str:
    return "sha256=" + SignatureValidator.create_signature(body, secret)


def ours(body: str, header: str, *secrets: str) -> bool:
    try:
        verify_signature(a_call(body.encode(), {"x-mollie-signature": header}), secrets)
    except SignatureRefused:
        return False
    return True


def theirs(body: str, header: str, *secrets: str) -> bool:
    try:
        return SignatureValidator.validate(body, list(secrets), header)
    except InvalidSignatureException:
        return False


@given(BODIES, st.lists(SECRETS, min_size=1, max_size=2), st.data())
def test_of_one_signature_both_say_the_same(body: str, secrets: list[str], data: st.DataObject) -> None:
    signed = st.builds(sign, st.just(body) | BODIES, st.sampled_from(secrets) | SECRETS)
    cut = signed.map(lambda header: header[:-1])
    louder = signed.map(lambda header: "sha256=" + header[7:].upper())
    header = data.draw(signed | cut | louder | st.text(ASCII).map(lambda text: f"sha256={text}"))

    assert ours(body, header, *secrets) == theirs(body, header, *secrets)


@given(BODIES, st.lists(SECRETS, min_size=1, max_size=3), st.data())
def test_what_mollie_signs_with_one_of_our_secrets_both_accept(
    body: str, secrets: list[str], data: st.DataObject
) -> None:
    header = sign(body, data.draw(st.sampled_from(secrets)))

    assert ours(body, header, *secrets)
    assert theirs(body, header, *secrets)


@given(BODIES, SECRETS, SECRETS)
@example("{}", "old", "new")
def test_while_mollie_rotates_a_secret_two_signatures_come_in_one_header(body: str, old: str, new: str) -> None:
    """API Gateway joins the two headers with a comma, which Mollie's library does not split."""
    both = f"{sign(body, old)}, {sign(body, new)}"

    assert ours(body, both, old)
    assert ours(body, both, new)
    assert not theirs(body, both, old, new)


@given(BODIES)
def test_an_empty_secret_is_none_here_and_a_key_there(body: str) -> None:
    forged = sign(body, "")

    assert not ours(body, forged, "")
    assert theirs(body, forged, "")


def test_a_signature_without_its_prefix_is_refused_here_only() -> None:
    bare = sign("{}", "secret").removeprefix("sha256=")

    assert not ours("{}", bare, "secret")
    assert theirs("{}", bare, "secret")


def test_no_signature_is_refused_here_and_merely_false_there() -> None:
    """Mollie's library treats it as a classic call and raises nothing: code that relies on an exception accepts it."""
    assert not ours("{}", "", "secret")
    assert SignatureValidator.validate("{}", "secret", "") is False


def test_a_signature_that_is_not_ascii_is_refused_here_and_an_accident_there() -> None:
    assert not ours("{}", "sha256=é", "secret")
    with pytest.raises(TypeError):
        SignatureValidator.validate("{}", "secret", "sha256=é")
