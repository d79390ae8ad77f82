"""Who uses the command, and when: the names that timelines show."""

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from cli.stacks import Stack
from keypost.core import keys
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.use_cases.hide_codes import hidden

agent = click.option("--agent", metavar="NAME", help="Your name in the timeline. Default: that of your account here.")
reason = click.option("--reason", "why", metavar="TEXT", default="", help="Why, for the timeline.")


def now_and_who(name: str | None = None) -> tuple[datetime, str]:
    return datetime.now(UTC).replace(microsecond=0), keys.agent_name(name or _account())


def asked(to: Stack, why: str = "", name: str | None = None) -> Asked:
    """Who asks now, and why, without the codes that stand in that."""
    now, who = now_and_who(name)
    return Asked(now, who, plain(hidden(to.store, why)))


def change(to: Stack, order_id: str, decide: Callable[..., Order], why: str = "", name: str | None = None) -> None:
    """Change an order as one of the decisions of core/support.py does."""
    by = asked(to, why, name)
    words: tuple[Any, ...] = (by.why,) if by.why else ()
    to.desk.change(order_id, lambda order: decide(order, by.who, by.at, *words))


def plain(words: str) -> str:
    """The words on one line, without invisible characters, and no longer than a timeline keeps them."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())[:200]


def _account() -> str:
    """The name of the account, or its number where it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
