"""The calls of AWS that each event makes are those of calls.golden: a call more, or one that costs more, is seen in a
diff (`make golden` writes it anew)."""

from tests.bench.calls import GOLDEN, golden
from tests.bench.events import counted


def test_each_event_makes_the_calls_that_are_written_down() -> None:
    assert golden(counted()) == GOLDEN.read_text("utf-8")
