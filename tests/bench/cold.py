"""How much a function does before it can serve its first call: instructions over those of Lambda's runtime, counted by
Valgrind, as a ratio to those of a stock `boto3.client("dynamodb")` on the same Python."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.bench.artifacts import Artifacts, built
from tests.bench.figures import Figure

# What Lambda's own runtime (awslambdaric.bootstrap) has imported before it imports a function.
_RUNTIME = "import contextlib, decimal, functools, importlib, json, logging, os, string, sys, textwrap, time, traceback"
# Lambda freezes the process after a call. Python would clean up at its end, and stock boto3 leaves more to clean up.
_END = "os._exit(0)"
_STOCK = 'import boto3; boto3.client("dynamodb")'

# The clients of a function's first call, by what builds them; nothing, where the call needs none.
CLIENTS = {
    "advance_orders": "wiring.worker(); wiring.desk()",
    "find_due_orders": "wiring.schedule(); wiring.queue()",
    "guide_page": "wiring.store()",
    "mail_feedback": "wiring.store()",
    "payment_callback": "wiring.store(); wiring.queue(); wiring.secrets()",
    "reconcile_payments": "wiring.store(); wiring.queue(); wiring.secrets()",
    "reminders_page": "wiring.store()",
    "self_service": "wiring.kept_wishes(); wiring.wishes()",
    "send_again": "wiring.desk()",
    "support_api": "wiring.desk()",
    "support_auth": "wiring.support_keys()",
    "support_page": "",
    "write_daily_note": "wiring.store(); wiring.mailer(); wiring.shop()",
}
_PROVIDERS = {
    "stripe": "keypost.providers.stripe",
    "webhook": "keypost.providers.webhook",
    "woocommerce": "keypost.providers.woocommerce",
    "mollie": "keypost.providers.mollie",
    "moneybird": "keypost.providers.moneybird",
}
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
    "AWS_SESSION_TOKEN": "token",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "KEYPOST_STAGE": "live",
    "KEYPOST_TIMEZONE": "Europe/Amsterdam",
    "KEYPOST_CURRENCY": "EUR",
    "KEYPOST_TABLE": "table",
    "KEYPOST_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/queue",
    "KEYPOST_WISHES_URL": "https://sqs.eu-west-1.amazonaws.com/1/wishes",
    "KEYPOST_SECRETS": "secrets",
    "KEYPOST_MOLLIE_URL": "https://api.mollie.com",
    "KEYPOST_STRIPE_URL": "https://api.stripe.com",
    "KEYPOST_CONFIGURATION_SET": "mail",
    "KEYPOST_SHOP_NAME": "Winkel",
    "KEYPOST_SHOP_ADDRESS": "Kade 1, 1011 AB Amsterdam",
    "KEYPOST_SENDER_ADDRESS": "licenties@example.org",
    "KEYPOST_SUPPORT_ADDRESS": "hulp@example.org",
    "KEYPOST_SUPPORT_LANGUAGE": "nl",
    "KEYPOST_FISCAL_YEARS": "7",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_AT_ONCE = 2


_QUICK = ("runtime", "stock", "find_due_orders", "advance_orders", "payment_callback_stripe", "support_api")


def measure(say: Callable[[str], None]) -> list[Figure]:
    return _measured(say, programs())


def measure_some(say: Callable[[str], None]) -> list[Figure]:
    """The functions of which most others are a part, in a minute."""
    return _measured(say, {name: program for name, program in programs().items() if name in _QUICK})


def _measured(say: Callable[[str], None], starts: dict[str, str]) -> list[Figure]:
    say("building the layers and the functions")
    with built() as artifacts, ThreadPoolExecutor(_AT_ONCE) as threads:
        counts = threads.map(partial(_said, artifacts, say), starts, starts.values())
        found = dict(zip(starts, counts, strict=True))
    runtime, stock = found.pop("runtime"), found.pop("stock")
    return [Figure(f"cold/{name}", (count - runtime) / (stock - runtime), "ratio") for name, count in found.items()]


def programs() -> dict[str, str]:
    """What each start executes. The settings are those of the function in template.yaml."""
    functions = {name: f"{_start(name)}; {clients or 'pass'}" for name, clients in CLIENTS.items()}
    callback = functions["payment_callback"]
    of_providers = {
        f"payment_callback_{name}": f"{callback}; import {module}; import keypost.clients.provider_api"
        for name, module in _PROVIDERS.items()
    }
    return {"runtime": "pass", "stock": _STOCK} | functions | of_providers


def _start(function: str) -> str:
    return f"import {function}; from keypost import wiring"


def _said(artifacts: Artifacts, say: Callable[[str], None], name: str, program: str) -> int:
    path = [str(artifacts.stock)] if name == "stock" else artifacts.path
    count = instructions(artifacts.python, path, program)
    say(f"{name}: {count:,} instructions")
    return count


def instructions(python: str, path: list[str], program: str) -> int:
    """The instructions of a program in a new process, of the interpreter and the runtime too. RuntimeError if the
    program fails, or if Valgrind is missing."""
    code = f"{_RUNTIME}\nsys.path[:0] = {path!r}\n{program}\n{_END}"
    counter = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    with tempfile.TemporaryDirectory() as here:
        done = subprocess.run(
            [*counter, python, "-S", "-s", "-P", "-c", code],
            capture_output=True,
            text=True,
            check=False,
            cwd=here,
            env=SETTINGS | {"PATH": os.environ["PATH"]},
        )
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or counted is None:
        raise RuntimeError(f"{program}\n{done.stderr}")
    return int(counted[1].replace(",", ""))
