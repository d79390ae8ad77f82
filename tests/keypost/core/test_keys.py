import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import CredentialRefused, InvalidInput
from keypost.core.keys import DEFAULT_SCOPES, Agent, check, key_id, new_key, state
from tests.builders import NOW

KEY, KEPT = new_key("anna", DEFAULT_SCOPES, 365, NOW)


def test_a_key_has_256_random_bits_after_its_id_and_what_is_kept_does_not_hold_them() -> None:
    secret = KEY.removeprefix(f"kp_{KEPT.id}_")

    assert re.fullmatch("[0-9a-f]{64}", secret)
    assert secret not in repr(KEPT)
    assert key_id(KEY) == KEPT.id
    assert new_key("anna", DEFAULT_SCOPES, 365, NOW)[0] != KEY


def test_the_right_key_says_who_it_is_and_what_it_opens() -> None:
    assert check(KEY, KEPT, NOW) == Agent(KEPT.id, "anna", ("support", "contact"))


@given(st.integers(0, len(KEY) - 1), st.sampled_from("0123456789abcdef_kp"))
def test_a_key_with_one_other_character_is_refused(place: int, letter: str) -> None:
    other = KEY[:place] + letter + KEY[place + 1 :]
    if other == KEY:
        return

    with pytest.raises(CredentialRefused, match=r"^wrong$"):
        check(other, KEPT, NOW)


def test_a_key_of_which_nothing_is_kept_is_refused() -> None:
    with pytest.raises(CredentialRefused, match=r"^unknown$"):
        check(KEY, None, NOW)


def test_a_key_ends_with_its_last_day() -> None:
    assert check(KEY, KEPT, KEPT.expires_at - timedelta(seconds=1)).name == "anna"

    with pytest.raises(CredentialRefused, match=r"^expired$"):
        check(KEY, KEPT, KEPT.expires_at)


def test_a_revoked_key_is_refused_whatever_it_was_good_for() -> None:
    with pytest.raises(CredentialRefused, match=r"^revoked$"):
        check(KEY, replace(KEPT, revoked_at=NOW + timedelta(days=1)), NOW)


def test_who_has_the_wrong_secret_is_not_told_that_the_key_was_revoked() -> None:
    with pytest.raises(CredentialRefused, match=r"^wrong$"):
        check(KEY[:-1] + "x", replace(KEPT, revoked_at=NOW), NOW)


@pytest.mark.parametrize(
    "text",
    ["", "kp_", KEY[:-1], KEY + "0", KEY.upper(), f" {KEY}", f"{KEY}\n", KEY.replace("_", "-"), "kp_é_0"],
    ids=range(9),  # the key is another one in each process that runs tests
)
def test_what_is_no_key_has_no_id(text: str) -> None:
    assert key_id(text) is None


@pytest.mark.parametrize("agent", ["", " anna", "an\nna", "Zoë", "a" * 65, "<b>"])
def test_an_agents_name_must_be_fit_for_headers_and_timelines(agent: str) -> None:
    with pytest.raises(InvalidInput, match="agent_name_unfit"):
        new_key(agent, DEFAULT_SCOPES, 365, NOW)


@pytest.mark.parametrize("scopes", [[], ["support", "admin"]])
def test_a_key_has_a_scope_and_only_those_that_exist(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput, match="key_without_scope"):
        new_key("anna", scopes, 365, NOW)


def test_the_state_of_a_key_is_one_word() -> None:
    assert state(KEPT, NOW) == "valid"
    assert state(KEPT, KEPT.expires_at) == "expired"
    assert state(replace(KEPT, revoked_at=NOW), KEPT.expires_at) == "revoked"


@pytest.mark.parametrize("agent", ["keypost", "Keypost", "keypost ", "customer"])
def test_nobody_has_the_name_of_what_is_no_person(agent: str) -> None:
    with pytest.raises(InvalidInput, match="agent_name_reserved"):
        new_key(agent, ["support"], 365, NOW)
