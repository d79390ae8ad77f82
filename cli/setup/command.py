"""`keypost setup`: asks, deploys, and opens the stack for its providers; run again, it goes on where it stopped."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli import catalog, deploys, stacks, tables
from cli.click_words import Command
from cli.doctor import checks, looking
from cli.doctor.command import show
from cli.places import is_release
from cli.setup import account, deploying, dns, doors, greeting, released
from cli.setup.answers import Answers, load, save
from cli.setup.questions import (
    QUESTIONS,
    Question,
    answer_to,
    fault_of,
    is_in_the_eu,
    of_stack,
    unanswered,
    with_answer,
)
from cli.speech import lang, say, speech, text
from cli.stacks import Found, Stack
from cli.stock import import_file, read_file
from cli.versions import OWN, refuse_if_older
from keypost.core.errors import KeypostError
from keypost.core.mail import MailSent
from keypost.core.said import Said
from keypost.use_cases.look_ahead import stocks
from keypost.words import sentence

_FIRST_STACK = "keypost-test"
_NONE = "-"  # typed in place of an answer that was given before
STEPS = ("answers", "deploy", "dns", "webhooks", "products", "stock", "mail")


@click.command("setup", cls=Command)
@click.argument("step", required=False, metavar="STEP", type=click.Choice(STEPS))
@click.option("--stack", default=_FIRST_STACK, show_default=True, help="The name of the stack that is made.")
@click.option("--minutes", default=60.0, show_default=True, help="How long to wait for the DNS records.")
@lang
def setup(step: str | None, stack: str, minutes: float) -> None:
    """Set up a stack: ask, deploy, show the DNS records, connect the providers, and send a first mail.

    Run it again at any time: it goes on where it stopped, and changes nothing twice. STEP does one step only: answers,
    deploy, dns, webhooks, products, stock, mail. The answers are kept in the folder .keypost, the secrets only in the
    stack.
    """
    answers = load(stack)
    if not answers.region:
        answers = _of_stack_there(answers)
    if step in (None, "answers"):
        answers = ask_all(answers, again=step is not None)
    if list(unanswered(answers)):
        raise KeypostError("answers_missing", command=f"keypost setup answers{answers.option}")
    session = _session(answers)
    if step in (None, "deploy"):
        answers = _deploy(session, answers, again=step is not None)
    for name, run in _AFTER_DEPLOY.items():
        if step in (None, name):
            run(_found(session, answers), answers, minutes)
    if step is None:
        _what_is_left(_found(session, answers))


# ---------------------------------------------------------------------------------------------------------------------
# The answers
# ---------------------------------------------------------------------------------------------------------------------


def ask_all(answers: Answers, *, again: bool) -> Answers:
    """Ask what has no answer yet, or everything; each answer is written down at once."""
    asked = set[str]()
    while question := next(_left(answers, asked, again=again), None):
        asked.add(question.name)
        answers = with_answer(question.name, _ask(question, answers), answers)
        save(answers)
    say("answers_are_kept", path=answers.path)
    return answers


def _of_stack_there(answers: Answers) -> Answers:
    """The answers that a stack stands with that was deployed without `setup`; those that there are, if there is none or
    the shell does not lead to it."""
    region = stacks.region_of(answers.stack)
    if region is None:
        return answers
    try:
        there = account.stack_there(stacks.session_here(region), answers.stack)
    except (BotoCoreError, ClientError):
        return answers  # the deploy tells what is wrong with it
    return answers if there is None else of_stack(answers.stack, region, there.parameters)


def _left(answers: Answers, asked: set[str], *, again: bool) -> Any:
    questions = QUESTIONS if again else tuple(unanswered(answers))
    return (each for each in questions if each.name not in asked and each.is_asked(answers))


def _ask(question: Question, answers: Answers) -> str:
    """The answer to a question, which is asked until it can be one."""
    click.echo()
    click.echo(tables.paragraph(sentence(question.sense, speech().reader())))
    before = answer_to(question.name, answers)
    default = question.default(answers) if before is None else before
    if default and fault_of(question.name, "") is None:
        say("ask_or_none", sign=_NONE)  # what is typed as nothing is the answer that is there
    while True:
        typed = str(click.prompt(question.name, default=default, show_default=bool(default))).strip()
        typed = "" if typed == _NONE else typed
        fault = fault_of(question.name, typed)
        if fault is not None:
            say(fault, err=True)
        elif question.name != "region" or is_in_the_eu(typed) or click.confirm(text("ask_outside_eu", region=typed)):
            return typed


# ---------------------------------------------------------------------------------------------------------------------
# The account, and the deploy
# ---------------------------------------------------------------------------------------------------------------------


def _session(answers: Answers) -> Any:
    try:
        return stacks.session_here(answers.region)
    except BotoCoreError as error:
        raise stacks.no_way_to_aws(error) from None


def _deploy(session: Any, answers: Answers, *, again: bool) -> Answers:
    """Look at the account, and deploy if nothing stands in the way and the stack is not there as answered."""
    here = deploying.is_emulated(os.environ)
    answers = answers.with_parameter("Emulated", "yes" if here else "no")
    there, answers = look_at_account(session, answers)
    turns = [answers] if here else deploying.in_turn(answers, there)
    answers = turns[-1]
    save(answers)
    if deploying.is_as_answered(answers, there, OWN) and (here or not again):
        say("stack_stands_as_answered", stack=answers.stack)
        return answers
    if is_release():
        answers = released.deploy(session, turns)
    elif here:
        deploying.to_emulator(session, answers)
    else:
        answers = deploying.with_sam(turns)
    deploys.check_stack(_found(session, answers))
    return answers


def look_at_account(session: Any, answers: Answers) -> tuple[Found | None, Answers]:
    """The stack that is there, and the answers, to which a mail domain that is an identity already adds one.
    KeypostError if something stands in the way; all of it was told then, and nothing was changed."""
    try:
        number = account.number_of_account(session)
        there = account.stack_there(session, answers.stack)
        known = looking.identity(session.client("sesv2"), answers.parameters["MailDomain"])
    except ClientError as error:
        if account.is_denied(error):
            raise KeypostError("rights_are_missing", action=error.operation_name) from None
        raise
    except BotoCoreError as error:
        raise stacks.no_way_to_aws(error) from None
    found = list(account.obstacles(answers, there, known))
    if [why.code for why, _ in found] == ["domain_is_an_identity_already"] and _may_be_shared(found[0][0]):
        return there, answers.with_parameter("MailIdentity", "existing")
    _tell_obstacles(found)
    say("account_is_ready", account=number, region=answers.region)
    return there, answers


def _may_be_shared(why: Said) -> bool:
    say(why)
    return click.confirm(text("ask_existing_identity"), default=False)


def _tell_obstacles(found: list[tuple[Said, str]]) -> None:
    for why, mend in found:
        say(why, err=True)
        if mend:
            click.echo(f"  $ {mend}", err=True)
    if found:
        raise KeypostError("setup_stopped", count=len(found))


def _found(session: Any, answers: Answers) -> Found:
    """The stack, whole. KeypostError if it is not."""
    found = account.stack_there(session, answers.stack)
    if found is None:
        raise KeypostError("stack_not_found", stack=answers.stack)
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The steps after the deploy
# ---------------------------------------------------------------------------------------------------------------------


def _dns(at: Found, answers: Answers, minutes: float) -> None:
    if at.parameters.get("Emulated") == "yes":
        say("no_dns_here")
        return
    ses, domain, is_own = at.session.client("sesv2"), at.parameters["MailDomain"], _is_own(at)
    records = dns.own_records(at.outputs) if is_own else dns.shared_records(ses, domain)
    show_records([*records, dns.dmarc_record(domain, at.parameters["SupportAddress"])], answers)
    if is_own and dns.look_again(ses, domain):
        say("ses_looks_again", domain=domain)
    tell_waiting(lambda: dns.seen(ses, domain, looking.resolve, is_own=is_own), minutes, time.sleep)


def _is_own(at: Found) -> bool:
    return at.parameters.get("MailIdentity", "own") == "own"


def show_records(records: list[dns.Record], answers: Answers) -> None:
    """The records in a table, and in a file that a DNS provider can import."""
    say("records_to_add")
    tables.show(
        [text(name) for name in ("col_record", "col_kind", "col_value")],
        [(each.name, each.kind, each.value) for each in records],
    )
    answers.zone_path.write_text("".join(f"{each.line}\n" for each in records), "utf-8")
    say("records_are_in", path=answers.zone_path)


def tell_waiting(look: Callable[[], dns.Seen], minutes: float, pause: Callable[[float], None]) -> None:
    """Wait for the records, and tell what is still missing whenever that changes."""
    seen = None
    for seen in dns.wait(look, minutes * 60, pause):
        if seen.missing:
            say("records_missing", missing=seen.missing)
    if seen is None or seen.missing:
        say("records_later", err=True)
    else:
        say("records_are_seen")


def _webhooks(at: Found, answers: Answers, _minutes: float) -> None:
    to = _writable(at)
    for provider in answers.providers or ():
        doors.open_door(doors.Doors(at, to, _ask_secret), provider)


def _ask_secret(question: Said) -> str:
    asked = sentence(question, speech().reader())
    return str(click.prompt(asked, default="", show_default=False, hide_input=True))


def _products(at: Found, _answers: Answers, _minutes: float) -> None:
    to = _writable(at)
    known = to.store.catalog()
    if known:
        say("products_are_there", count=len(known))
    elif path := _ask_path(text("ask_products")):
        catalog.apply(to, catalog.read_products(path))


def _stock(at: Found, _answers: Answers, _minutes: float) -> None:
    to = _writable(at)
    found, _ = stocks(to.store, datetime.now(UTC), to.zone, 0)
    empty = [each.sku for each in found if not each.is_retired and not each.free]
    if found and not empty:
        say("each_product_has_codes")
    elif empty and (path := _ask_path(text("ask_codes", skus=empty))):
        done, faults = import_file(to, read_file(to, path.read_bytes(), _only(empty), None))
        say("file_imported", added=done.added, left_out=len(faults))
        for fault in faults:
            say("left_out", err=True, file=path, line=fault.line, column=fault.column or None, why=fault.reason)


def _only(skus: list[str]) -> str | None:
    """The product of a file without a column for it, where there is but one."""
    return skus[0] if len(skus) == 1 else None


def _ask_path(question: str) -> Path | None:
    """A file that is there; None if none was named."""
    while typed := str(click.prompt(question, default="", show_default=False)).strip():
        path = Path(typed).expanduser()
        if path.is_file():
            return path
        say("no_such_file", err=True, path=path)
    return None


def _mail(at: Found, answers: Answers, _minutes: float) -> None:
    address, language = at.parameters["SupportAddress"], at.parameters["SupportLanguage"]
    step = click.get_current_context().params["step"]
    if answers.greeted and step is None:
        say("greeting_was_sent", address=address)
        return
    outcome = greeting.greet(_writable(at), address, answers.stack, language)
    if isinstance(outcome, MailSent):
        save(replace(answers, greeted=True))
        say("greeting_is_sent", address=address)
    else:
        say("greeting_not_sent", err=True, address=address, why=outcome.reason)


def _writable(at: Found) -> Stack:
    to = at.connected()
    refuse_if_older(to.version)
    return to


def _what_is_left(at: Found) -> None:
    facts = looking.look(at, looking.resolve, datetime.now(UTC))
    left = [each for each in checks.findings(facts) if each.state is not checks.State.RIGHT]
    click.echo()
    for each in left:
        show(each)
    say("setup_left", count=len(left), command=f"keypost doctor{at.option}") if left else say("doctor_all_right")


_AFTER_DEPLOY: dict[str, Callable[[Found, Answers, float], None]] = {
    "dns": _dns,
    "webhooks": _webhooks,
    "products": _products,
    "stock": _stock,
    "mail": _mail,
}
