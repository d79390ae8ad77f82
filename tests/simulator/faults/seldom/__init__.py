"""What happens too seldom among all else that may. Many shops have one of these, in turn, to a customer of its own."""

import random
from collections.abc import Callable

from tests.simulator.faults.seldom import codes, money, people, renewals, storage
from tests.simulator.faults.shop import HOUR, Shop


def one_more(shop: Shop) -> None:
    """By the number of the shop."""
    seed = shop.simulation.faults.seed
    chance = random.Random(f"{seed}/seldom")
    plan = SELDOM[seed % len(SELDOM)]
    plan(shop, shop.simulation.now + chance.choice((2, 60, HOUR, 5 * HOUR)))


SELDOM: tuple[Callable[[Shop, float], None], ...] = (
    people.double_click,
    people.held_while_it_waits,
    money.canceled_while_it_waits,
    money.refund_grows_while_it_waits,
    money.refund_deleted_while_it_waits,
    codes.returned_to_a_withdrawn_batch,
    money.refunded_before_it_left,
    codes.imports_meet_others,
    people.moved,
    people.swapped,
    storage.unreadable_for_long,
    storage.told_while_unreadable,
    codes.second_short,
    renewals.sold_after_midnight,
    renewals.renewal_stopped,
    renewals.unusual,
    people.address_bounces,
    money.two_names,
    people.complained,
    people.erased_and_told_again,
    codes.replaced_while_it_leaves,
    renewals.renewal_before_is_refunded,
    renewals.renewed_for_another,
    money.refunded_before_it_is_told,
    money.address_told_three_times,
    money.paid_anew_since_the_start,
    money.settled_and_refunded,
    money.canceled_after_it_left,
    money.credited_for_nobody,
    money.mollie_is_away_for_long,
    money.lost_in_one_second,
    money.tried_again_after_the_cancellation,
    money.exchanged_for_what_is_short,
    money.credited_for_two,
    money.settled_for_more_after_it_left,
    money.own_order_is_cut,
    money.own_order_refunded,
    money.settled_by_a_credit_note,
    codes.moved_to_another_product,
    codes.swapped_and_refunded_before_it_left,
    codes.moved_and_replaced,
    codes.replaced_when_codes_come,
    codes.swapped_while_another_is,
    codes.second_one_moves,
    codes.cut_import,
    codes.withdrawn_to_see,
    codes.who_needs_it_sooner,
    codes.withdrawn_when_all_are_sold,
    people.corrected_twice,
    people.bounced_in_part,
    people.corrected_after_the_way_out,
    people.stopped_while_it_waits,
    people.erased_while_unreadable,
    people.wish_is_cut,
    people.given_once_more,
    people.bounces_and_goes_elsewhere,
    people.bounces_late,
    people.wish_meets_a_busy_queue,
    people.buys_again_after_years,
    people.note_is_refused,
    renewals.renewal_before_comes_back,
    renewals.renewal_that_left_comes_back,
    renewals.moved_for_another,
    renewals.reminded_renewal_moves_up,
    renewals.refunded_as_the_next_comes,
    renewals.refunded_renewal_is_cut,
    renewals.code_runs_out_while_it_waits,
    storage.told_while_it_is_mended,
    storage.has_a_long_story,
)
