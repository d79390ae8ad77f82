"""Correcting what was imported: free codes leave the stock, or go to another product; the codes of a bad batch that
customers have are replaced, order by order."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum

from keypost.core.frozen import dataclass
from keypost.core.said import Said


class State(StrEnum):
    """How far the replacing of a batch is."""

    RUNNING = "running"
    SHORT = "short"  # too few codes of other batches: it goes on when codes come
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Replacing:
    """That all customers get another code for theirs of a batch, and how far that is. It goes over the orders by their
    numbers, again and again, until a whole pass finds nothing more to do."""

    batch: str
    sku: str  # empty: whatever product
    reason: str  # one of BAD_CODE_REASONS
    note: str
    who: str
    began: datetime
    state: State = State.RUNNING
    withdrawn: bool = False  # whether its free codes have left the stock
    behind: str = ""  # the order up to which the present pass came
    changed: int = 0  # codes that the present pass replaced, or could not yet
    lacking: bool = False  # whether the present pass found too few codes
    quiet: bool = False  # whether the last pass found nothing to do: the index may not have known all yet
    left_out: Mapping[str, int] = field(default_factory=dict)  # codes that stay, by why, in the present or last pass
    version: int = 0


@dataclass(frozen=True, slots=True)
class OfOrder:
    """What one order's codes of a batch came to."""

    replaced: int = 0
    later: int = 0  # a mail is on its way, or others changed the order
    lacking: bool = False
    left_out: tuple[Said, ...] = ()


def at_start(replacing: Replacing) -> Replacing:
    """As its next orders are looked at; a pass begins with nothing counted."""
    running = replace(replacing, state=State.RUNNING)
    return running if replacing.behind else replace(running, changed=0, lacking=False, left_out={})


def with_order(replacing: Replacing, order_id: str, done: OfOrder) -> Replacing:
    left_out = dict(replacing.left_out)
    for why in done.left_out:
        left_out[why.code] = left_out.get(why.code, 0) + 1
    return replace(
        replacing,
        behind=order_id,
        changed=replacing.changed + done.replaced + done.later,
        lacking=replacing.lacking or done.lacking,
        left_out=left_out,
    )


def at_end_of_pass(replacing: Replacing) -> Replacing:
    """The next pass, or the end after two that found nothing to do: what is left then stays as it is."""
    if replacing.changed:
        return replace(replacing, behind="", quiet=False, state=State.RUNNING)
    if replacing.lacking:
        return replace(replacing, behind="", quiet=False, state=State.SHORT)
    return replace(replacing, behind="", quiet=True, state=State.DONE if replacing.quiet else State.RUNNING)


def begun_again(replacing: Replacing, who: str, at: datetime) -> Replacing:
    """It is asked for once more: somebody may have got a code of the batch since."""
    if replacing.state is State.RUNNING:
        return replacing
    return replace(replacing, state=State.RUNNING, withdrawn=False, who=who, began=at, behind="", quiet=False)
