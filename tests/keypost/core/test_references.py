import pytest

from keypost.core.references import meant


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        *((typed, "2026-001234") for typed in ("#2026-001234", "order 2026-001234", "Bestelling nr. 2026-001234,")),
        *(
            (typed, "2026-001234")
            for typed in ("bestelnummer: #2026-001234", "(2026 - 001234)", "ORDER NO 2026-001234")
        ),
        *((typed, "LIC-ABCDEFGH23") for typed in ("licentie LIC-ABCDEFGH23", "License: lic abcdefgh23")),
        *((typed, typed) for typed in ("order-12", "nr_12", "WC-2026-000123", "2026-001234/2", "order", "key.")),
        ("the one of Anna Jansen", "the one of Anna Jansen"),
    ],
)
def test_what_people_write_around_a_number_is_left_out(typed: str, what: str) -> None:
    assert meant(typed) == what
