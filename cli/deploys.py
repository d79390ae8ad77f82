"""`keypost stack`: whether what was deployed answers, and the way back to the former version."""

import click

from cli import pausing, serving, stacks, tables
from cli.click_words import Group
from cli.orders import stack_option
from cli.speech import lang, say, text
from cli.stacks import Found
from keypost.core.errors import KeypostError


@click.group("stack", cls=Group)
def stack_group() -> None:
    """What was deployed."""


@stack_group.command("check")
@lang
@stack_option
def check(stack: str | None) -> None:
    """Have every function answer once: the test after a deploy. It sends nothing and changes no order.

    The exit status is 1 if one of them does not answer as it must.
    """
    check_stack(stacks.found(stack))


def check_stack(at: Found) -> None:
    """KeypostError if a function does not answer as it must."""
    functions = serving.functions_of(at)
    for function in functions:
        if function.is_shifting:
            say("version_is_shifting", function=function.id, version=function.serves.number)
    failed = []
    for each in serving.answers(at, functions):
        say("function_answers" if each.is_right else "function_fails", function=each.function, answer=each.answer)
        failed += [] if each.is_right else [each.function]
    say("functions_unasked", functions=[each.id for each in functions if each.id in serving.UNASKED])
    if failed:
        raise KeypostError("functions_fail", functions=failed, command=f"keypost stack back{at.option}")
    say("functions_answer")


@stack_group.command("back")
@click.option("--undo", is_flag=True, help="Return to the newest version.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@lang
@stack_option
def back(stack: str | None, *, undo: bool, yes: bool) -> None:
    """Let the former version of every function take the calls again, at once and without a deploy.

    Table, queues, secrets and settings of the stack stay as they are. What the newer version has stored is kept.
    """
    at = stacks.found(stack)
    if at.status.endswith("_IN_PROGRESS"):
        raise KeypostError("stack_is_changing", stack=at.name, status=at.status)
    functions = serving.functions_of(at)
    moves = serving.way_forward(functions) if undo else serving.way_back(functions)
    if not moves:
        say("newest_version_serves")
        return
    rows = [(each.function.id, str(each.function.serves.number), str(each.to.number)) for each in moves]
    tables.show([text("col_function"), text("col_serves"), text("col_will_serve")], rows)
    if not yes:
        click.confirm(text("ask_move"), abort=True)
    client = at.session.client("lambda")
    for each in moves:
        serving.move(client, each)
    say("newest_version_serves" if undo else "former_version_serves", revision=moves[-1].to.revision[:10])


@stack_group.command("pause")
@lang
@stack_option
def pause(stack: str | None) -> None:
    """Let no function run: nothing leaves and nothing comes in.

    Queues keep what arrives for four days. Providers get an error and call again later, and pages do not answer.
    """
    at = stacks.found(stack)
    pausing.pause(at)
    say("stack_is_paused", command=f"keypost stack resume{at.option}")


@stack_group.command("resume")
@click.option(
    "--doors", is_flag=True, help="Only what takes payments in, and ask the providers for them; nothing leaves yet."
)
@lang
@stack_option
def resume(stack: str | None, *, doors: bool) -> None:
    """Let the functions run again."""
    at = stacks.found(stack)
    if doors:
        pausing.open_doors(at)
        say("doors_are_open")
    else:
        pausing.resume(at)
        say("stack_runs")
