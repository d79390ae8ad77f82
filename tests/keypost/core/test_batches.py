from keypost.core.batches import OfOrder, Replacing, State, at_end_of_pass, at_start, with_order
from tests.builders import NOW

BEGUN = Replacing("2026-11", "", "invalid", "", "anna", NOW, withdrawn=True)


def passed(replacing: Replacing, *done: OfOrder) -> Replacing:
    """After a pass with these orders."""
    replacing = at_start(replacing)
    for number, each in enumerate(done):
        replacing = with_order(replacing, f"o{number}", each)
    return at_end_of_pass(replacing)


def test_an_index_that_does_not_know_an_order_yet_does_not_end_the_replacing_of_its_batch() -> None:
    nobody = passed(BEGUN)
    assert nobody.state is State.RUNNING

    found = passed(nobody, OfOrder(replaced=1))
    assert (found.state, found.quiet) == (State.RUNNING, False)
    assert [passed(found).state, passed(passed(found)).state] == [State.RUNNING, State.DONE]


def test_it_waits_for_codes_at_the_end_of_the_first_pass_that_lacks_some() -> None:
    assert passed(BEGUN, OfOrder(lacking=True)).state is State.SHORT
