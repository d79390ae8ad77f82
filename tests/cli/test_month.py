"""`keypost export orders`."""

from pathlib import Path

import pytest

from cli.stacks import Stack
from tests.builders import paid_order, put_item
from tests.cli.conftest import Run


def test_a_month_is_written_as_one_file_that_spreadsheets_open_with_progress_beside_it(
    run: Run, here: Stack, tmp_path: Path
) -> None:
    here.store.save(paid_order())
    file = tmp_path / "november.csv"

    status, out, err = run("export", "orders", "--month", "2026-11", "--out", str(file), "--lang", "nl")

    assert (status, out, err) == (0, "", "gelezen bestellingen: 1\n")
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfDatum;Tijd;Bestelling;")
    assert "2026-11-23;13:00;2026-001234;betaald;39,95;EUR;stripe;" in content.decode()


def test_without_a_file_it_goes_to_standard_output(run: Run, here: Stack) -> None:
    here.store.save(paid_order())

    status, out, _ = run("export", "orders", "--month", "2026-11", "--lang", "en")

    assert (status, out.splitlines()[1][:40]) == (0, "2026-11-23,13:00,2026-001234,paid,39.95,")


def test_an_order_that_cannot_be_read_is_named_at_the_end(run: Run, here: Stack) -> None:
    here.store.save(paid_order("bad"))
    put_item(here.store, {"pk": "ORDER#bad", "month": "2026-11", "created_at": "2026-11-23T12:00:00Z", "lines": "x"})

    status, _, err = run("export", "orders", "--month", "2026-11")

    assert (status, "bad" in err) == (1, True)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("month", ["2026-13", "november", "2026"])
def test_what_is_no_month_is_refused(run: Run, month: str) -> None:
    assert run("export", "orders", "--month", month)[0] == 1
