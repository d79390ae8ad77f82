"""`keypost restore`: the table as it was at a moment is given back to the stack, and what left since then is found
again. docs/runbook/restore-the-table.md has the order of the steps."""

import time
from datetime import UTC, datetime
from typing import Any

import click

from cli import pausing, restoring, serving, stacks, who
from cli.click_words import Group
from cli.orders import stack_option
from cli.speech import lang, say, text
from cli.stacks import Found
from keypost.core.errors import KeypostError
from keypost.core.said import said

_AT = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])
_moment = click.option(
    "--at", "moment", required=True, type=_AT, metavar="MOMENT", help="In UTC, such as 2026-11-30T07:15."
)
_MINUTES = 24 * 60  # a restore of a small table takes a quarter of an hour, of a large one hours


@click.group("restore", cls=Group)
def restore_group() -> None:
    """The table as it was at a moment."""


@restore_group.command("table")
@_moment
@lang
@stack_option
def restore_table(moment: datetime, stack: str | None) -> None:
    """Make a second table with all that the stack's table held at MOMENT, and wait until it is there.

    The stack's own table is not changed.
    """
    at = stacks.found(stack)
    client, table = at.session.client("dynamodb"), at.connected().store.table
    name = _name(table, moment)
    client.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=name, RestoreDateTime=moment.replace(tzinfo=UTC)
    )
    say("table_is_restored_soon", table=name)
    _wait_for(client, name)
    say("table_is_restored", table=name)


def _name(table: str, moment: datetime) -> str:
    return f"{table}-at-{moment:%Y%m%d-%H%M%S}"


def _wait_for(client: Any, table: str) -> None:
    for _ in range(_MINUTES * 6):
        if client.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE":
            return
        time.sleep(10)
    raise KeypostError("table_not_restored", table=table)


@restore_group.command("give-back")
@_moment
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@lang
@stack_option
def give_back(moment: datetime, stack: str | None, *, yes: bool) -> None:
    """Make the stack's table hold what it held at MOMENT, as the second table has it. The stack must be paused.

    Support keys, addresses that bounced, customers who want no reminders, and withdrawn batches stay as they are now.
    Customers who were erased since then are erased again.
    """
    at = _paused(stack)
    to, client = at.connected(), at.session.client("dynamodb")
    own = to.store.table
    was = restoring.items_of(client, _name(own, moment))
    changes = restoring.difference(was, restoring.items_of(client, own))
    say("table_differs", put=len(changes.to_put), deleted=len(changes.to_delete), erased=len(changes.erased))
    if not yes:
        click.confirm(text("ask_give_back", table=own), abort=True)
    restoring.write(client, own, changes, time.sleep)
    for order_id in changes.erased:
        order = to.store.load(order_id)
        if order and order.customer.email:
            to.desk.erase(order.customer.email, who.asked(to), to.fiscal_years)
    say("table_is_given_back", table=own)


@restore_group.command("check")
@_moment
@click.option("--mend", is_flag=True, help="Do it; without this, it is only shown.")
@who.agent
@lang
@stack_option
def check(moment: datetime, agent: str | None, stack: str | None, *, mend: bool) -> None:
    """Compare the table with the log of what left since MOMENT, and give each order the codes that it was sent.

    Only while nothing can leave. The exit status is 1 as long as an order needs somebody; run it again after that.
    """
    at = _paused(stack)
    open_ = [each for each in findings(at, moment.replace(tzinfo=UTC), agent, is_dry=not mend) if _told(each)]
    if open_:
        raise KeypostError("restore_is_open", count=len(open_))
    say("restore_is_done" if mend else "restore_was_dry")


def findings(at: Found, moment: datetime, agent: str | None, *, is_dry: bool) -> Any:
    """What each order lacks of what the log says."""
    to = at.connected()
    group = serving.names_of(at, "AWS::Logs::LogGroup")["AdvanceOrdersLog"]
    mails = restoring.read_logs(restoring.lines_since(at.session.client("logs"), group, moment))
    codes = restoring.codes_of(restoring.items_of(at.session.client("dynamodb"), to.store.table))
    asked = who.asked(to, "", agent)
    yield from restoring.Restorer(to.store, list(codes), to.zone, asked.at, asked.who, is_dry).check(mails)


def _told(finding: restoring.Finding) -> bool:
    say(finding.what if finding.what.code.startswith("restore_") else said("failed_for", why=finding.what))
    return finding.is_open


def _paused(stack: str | None) -> Found:
    at = stacks.found(stack)
    if not pausing.is_hand_still(at):
        raise KeypostError("stack_is_not_paused", command=f"keypost stack pause{at.option}")
    return at
