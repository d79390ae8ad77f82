"""The steps of a product as numbered blocks, the same in a mail and in the guide."""

from collections.abc import Iterable
from itertools import groupby

from keypost.core.frozen import dataclass
from keypost.core.product import Kind, Part, Step


@dataclass(frozen=True, slots=True)
class Block:
    number: int  # counted from 1
    part: Part
    steps: tuple[Step, ...]  # none where the product says nothing of a part that nobody can do without
    has_download: bool  # the download stands in it
    has_code: bool  # a mail has the code in it


def blocks(steps: Iterable[Step], kind: Kind) -> tuple[Block, ...]:
    """The blocks of the steps of one kind: steps of one part that follow each other are one block, and what one sees at
    the end comes last. There is always a block about activating and one about the end, and for a new customer one about
    installing."""
    runs = _runs(tuple(steps), kind)
    parts = [part for part, _ in runs]
    return tuple(
        Block(
            at + 1,
            part,
            run,
            has_download=part is Part.INSTALL and at == parts.index(part),
            has_code=part is Part.ACTIVATE and at == parts.index(part),
        )
        for at, (part, run) in enumerate(runs)
    )


def _runs(steps: tuple[Step, ...], kind: Kind) -> list[tuple[Part, tuple[Step, ...]]]:
    end = tuple(step for step in steps if step.part is Part.CHECK)
    rest = [step for step in steps if step.part is not Part.CHECK]
    runs = [(part, tuple(run)) for part, run in groupby(rest, lambda step: step.part)]
    there = {part for part, _ in runs}
    if Part.INSTALL not in there and kind is Kind.NEW:
        runs.insert(0, (Part.INSTALL, ()))
    if Part.ACTIVATE not in there:
        runs.append((Part.ACTIVATE, ()))
    return [*runs, (Part.CHECK, end)]
