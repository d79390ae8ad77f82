"""The crowd of the bench, with a few workers."""

from tests.bench.contention import crowd


def test_eight_workers_at_too_few_codes_give_each_code_once() -> None:
    found = crowd(workers=8, orders=12, codes=10, seed=1)

    assert (found.licenses, found.given_twice) == (10, 0)
