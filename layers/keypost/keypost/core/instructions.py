"""The steps of a product as numbered blocks, the same in a mail and in the guide."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from keypost.core.product import Kind, Part, Step


@dataclass(frozen=True, slots=True)
class Block:
    number: int  # counted from 1
    part: Part
    steps: tuple[Step, ...]  # none where the download is all that there is to say
    has_download: bool  # the download stands in it
    has_code: bool  # a mail has the code in it


def blocks(steps: Iterable[Step], kind: Kind) -> tuple[Block, ...]:
    """The blocks of the steps of one kind: steps of one part that follow each other are one block. A new customer
    always has a download, a renewal only where its steps have one. The code always stands in one block, even if no step
    is about activating."""
    runs = [(part, tuple(run)) for part, run in groupby(steps, lambda step: step.part)]
    if kind is Kind.NEW and Part.INSTALL not in (part for part, _ in runs):
        runs.insert(0, (Part.INSTALL, ()))
    download = _first(runs, Part.INSTALL)
    code = _first(runs, Part.ACTIVATE)
    return tuple(
        Block(at + 1, part, run, at == download, at == (len(runs) - 1 if code is None else code))
        for at, (part, run) in enumerate(runs)
    )


def _first(runs: list[tuple[Part, tuple[Step, ...]]], part: Part) -> int | None:
    return next((at for at, (each, _) in enumerate(runs) if each is part), None)
