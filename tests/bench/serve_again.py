"""A program, measured by warm.py: the real handlers serve the first of the recorded purchases, and then as many more
as asked. It runs on what is deployed, so that it imports nothing of the tests."""

import json
import random
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import advance_orders
import payment_callback

_CONTEXT = SimpleNamespace(
    function_name="keypost-function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:keypost-function",
    aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
)
_OF_A_CLOCK = ("payment_callback", "keypost.wiring", "standardwebhooks.")


def main(recording: str, count: int) -> None:
    told = json.loads(Path(recording).read_text("utf-8"))
    _stop_clocks(datetime.fromisoformat(told["moment"]))
    for number, events in enumerate(told["events"][: count + 1]):
        random.seed(number)
        answer = payment_callback.handler(events["callback"], _CONTEXT)
        assert answer["statusCode"] == 204, answer
        assert advance_orders.handler(events["poke"], _CONTEXT) == {"batchItemFailures": []}


def _stop_clocks(moment: datetime) -> None:
    """The signatures were made then, and what is read once a minute would be read more often on a slow machine."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    import keypost.providers.webhook  # noqa: F401, PLC0415 - loads what else has a clock

    for name, module in list(sys.modules.items()):
        if name.startswith(_OF_A_CLOCK) and hasattr(module, "datetime"):
            vars(module)["datetime"] = Then


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
