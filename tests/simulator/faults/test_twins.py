"""Two at one order in one instant, with no other fault: each kind of mail leaves once, and what two people or programs
do at once has the outcome of one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from tests.simulator.faults.checks import violations
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.shop import HOUR, PLAIN, REMINDING, Shop
from tests.simulator.faults.simulation import DAY
from tests.simulator.faults.stories import (
    EMAIL,
    a_shop,
    asks,
    bought,
    ending,
    mailed,
    no_pokes,
    renewing,
    swaps,
    twins,
)

APART = (0, 0.03)  # seconds; a claim takes some hundredths, SES half a second
_SEEDS = range(2, 14)  # of the drills; who comes first at each call follows from the seed


def _purchase(shop: Shop) -> str:
    with no_pokes(shop):
        shop.sell(bought(), shop.simulation.now + 1)
    return "purchase-1"


def _sold(shop: Shop) -> None:
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(600)


def _resend(shop: Shop) -> str:
    _sold(shop)
    with no_pokes(shop):
        asks(shop, "resend")
    return "resend-1"


def _replacement(shop: Shop) -> str:
    _sold(shop)
    with no_pokes(shop):
        swaps(shop)
    return "replacement-1"


def _refunded(shop: Shop) -> str:
    _sold(shop)
    with no_pokes(shop):
        shop.simulation.tell("o1", "order.refunded", full=True)
    return "refunded-1"


def _address_changed(shop: Shop) -> str:
    _sold(shop)
    with no_pokes(shop):
        _correct(shop)
    return "address_changed-1"


def _correct(shop: Shop, email: str = "nieuw@klant.example") -> None:
    body = {"email": email, "confirmed": True}
    shop.simulation.support("PUT", "/orders/{order_id}/email", body, key="right", order_id="o1")


def _waiting(shop: Shop) -> str:
    """An hour after the payment of what is not in stock."""
    shop.sell(bought(quantity=9), shop.simulation.now + 1)
    shop.simulation.run(60)
    with no_pokes(shop):
        shop.simulation.run(HOUR)
    return "waiting-1"


def _renewal(shop: Shop) -> str:
    shop.sell(ending(days=7), shop.simulation.now + 1)
    shop.sell(renewing(days=7), shop.simulation.now + 60)
    shop.simulation.run(600)
    with no_pokes(shop):
        shop.simulation.run(_until_seven(shop))
    return "renewal-1"


def _until_seven(shop: Shop) -> float:
    """Of the next morning, in Amsterdam in winter."""
    return DAY - (shop.simulation.now - 6 * HOUR) % DAY


def _reminder(shop: Shop) -> str:
    """Of what ends in eight days, and nobody renews."""
    line = {**ending(days=9).lines[0], "sku": REMINDING}
    shop.sell(replace(ending(), lines=(line,)), shop.simulation.now + 1)
    shop.simulation.run(600)
    with no_pokes(shop):
        shop.simulation.run(_until_seven(shop))
    return "reminder-1"


MAILS: Mapping[str, tuple[str, Callable[[Shop], str]]] = {
    "purchase": ("o1", _purchase),
    "renewal": ("r1", _renewal),
    "reminder": ("o1", _reminder),
    "resend": ("o1", _resend),
    "replacement": ("o1", _replacement),
    "waiting": ("o1", _waiting),
    "refunded": ("o1", _refunded),
    "address_changed": ("o1", _address_changed),
}


def _sent_by_twins(purpose: str, apart: float, seed: int) -> int:
    """How often a mail left for which two messages came."""
    order, owe = MAILS[purpose]
    with a_shop(seed=seed) as shop:
        owed = owe(shop)
        assert owed not in mailed(shop, order)  # it is still to be sent

        twins(shop, order, apart)

        return mailed(shop, order).count(owed)


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("purpose", MAILS)
def test_two_workers_at_one_order_send_each_kind_of_mail_once(purpose: str, apart: float) -> None:
    assert _sent_by_twins(purpose, apart, seed=1) == 1


@pytest.mark.drill
@pytest.mark.parametrize("purpose", MAILS)
def test_two_workers_at_one_order_send_each_kind_of_mail_once_whoever_is_first(purpose: str) -> None:
    assert {seed: _sent_by_twins(purpose, seed % 3 / 50, seed) for seed in _SEEDS} == dict.fromkeys(_SEEDS, 1)


def _callback_and_worker(shop: Shop) -> None:
    """The money goes back while the codes leave."""
    with no_pokes(shop):
        shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.poke("o1")
    shop.simulation.tell("o1", "order.refunded", full=True)


def _import_and_assign(shop: Shop) -> None:
    """Codes come in while two orders want the last one."""
    for number in (1, 2):
        shop.sell(bought(f"o{number}", quantity=4), shop.simulation.now + 1)
    shop.simulation.machine.later(1, lambda: shop.import_codes(PLAIN, 2))


def _erase_and_worker(shop: Shop) -> None:
    with no_pokes(shop):
        shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.poke("o1")
    shop.simulation.support("POST", "/customers/erase", {"email": EMAIL}, key="erase")


def _swap_and_refund(shop: Shop) -> None:
    _sold(shop)
    swaps(shop)
    shop.simulation.tell("o1", "order.refunded", full=True)


def _note_and_note(shop: Shop) -> None:
    """There is something to say: an order waits for stock."""
    shop.sell(bought(quantity=9), shop.simulation.now + 1)
    shop.simulation.run(600)
    shop.simulation.write_note()
    shop.simulation.write_note()


def _agent_and_agent(shop: Shop) -> None:
    """Two agents correct the address, and both hold and release."""
    _sold(shop)
    _correct(shop)
    _correct(shop, "anders@klant.example")
    asks(shop, "hold")
    asks(shop, "release")


def _swap_and_swap(shop: Shop) -> None:
    _sold(shop)
    swaps(shop)
    swaps(shop)


def _resend_and_wish(shop: Shop) -> None:
    """An agent and the customer want the same at once."""
    _sold(shop)
    asks(shop, "resend")
    shop.simulation.wish(EMAIL)


def _callback_and_callback(shop: Shop) -> None:
    shop.sell(bought(), shop.simulation.now + 1)
    shop.sell(bought(), shop.simulation.now + 1)


PAIRS: Mapping[str, Callable[[Shop], None]] = {
    "callback and callback": _callback_and_callback,
    "callback and worker": _callback_and_worker,
    "import and assign": _import_and_assign,
    "erase and worker": _erase_and_worker,
    "swap and refund": _swap_and_refund,
    "swap and swap": _swap_and_swap,
    "note and note": _note_and_note,
    "agent and agent": _agent_and_agent,
    "resend and wish": _resend_and_wish,
}


def _at_once(pair: str, seed: int) -> tuple[list[str], list[str]]:
    """What is wrong in the end, and all mails that left."""
    with a_shop(seed=seed) as shop:
        PAIRS[pair](shop)
        shop.simulation.run(HOUR)
        come_to_the_end(shop, codes=4)
        accepted = [f"{mail.order} {mail.mail}" for mail in shop.simulation.ses.accepted]
        return [str(violation) for violation in violations(shop)], accepted


@pytest.mark.parametrize("pair", PAIRS)
def test_what_two_do_at_one_instant_breaks_no_promise(pair: str) -> None:
    wrong, accepted = _at_once(pair, seed=1)

    assert not wrong
    assert len(accepted) == len(set(accepted))


@pytest.mark.drill
@pytest.mark.parametrize("pair", PAIRS)
def test_what_two_do_at_one_instant_breaks_no_promise_whoever_is_first(pair: str) -> None:
    played = {seed: _at_once(pair, seed) for seed in _SEEDS}

    assert not {seed: wrong for seed, (wrong, _) in played.items() if wrong}
    assert not {seed: mails for seed, (_, mails) in played.items() if len(mails) != len(set(mails))}
