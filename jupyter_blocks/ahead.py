"""What may start before what it reads is published: the next block, and the lines of workers.

Pure, as `runner` is. Nothing of a block counts before all it reads is published; what is decided
here is only who computes meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain, islice

from jupyter_blocks.effects import Effect, HandOver, LookAgain, Submit
from jupyter_blocks.run import BlockRun, RunState

__all__ = ["Turn", "line_behind", "started_ahead"]

_WITHOUT_EFFECTS = frozenset({"data_loader", "transformer"})
"""Types that may read what is not published yet: the effects of others leave the project."""
_MOST_AHEAD = 64
"""Blocks that are looked at for what may start ahead; more than machines have cores to spare."""


def line_behind(
    state: RunState, line: list[str], ended: Collection[str] = ()
) -> Iterator[HandOver]:
    """What a worker is given behind the blocks of a line; those that have `ended` count as done.

    A worker that knows the next block begins it as soon as a value is written. Each block reads
    the one in front of it, so that none waits for a worker while another one is free. A block that
    was lost with its worker is tried again alone, lest the next one takes it along once more.
    """
    length = state.line_length
    first = state.blocks[line[0]]
    if first.planned.is_sensor or state.cancelling or len(line) - 1 > length // 2:
        return
    while len(line) <= length and not state.blocks[line[-1]].losses:
        below = (state.blocks[name] for name in state.waiting_for(line[-1], {*line, *ended}))
        block = next((each for each in below if _may_follow(each, first)), None)
        if block is None:
            return
        yield HandOver(block.name, block.sequence + 1, block.attempts + 1, line[-1])
        line = [*line, block.name]


def _may_follow(block: BlockRun, first: BlockRun) -> bool:
    is_harmless = block.planned.type in _WITHOUT_EFFECTS
    return is_harmless and block.planned.executor == first.planned.executor and not block.losses


class Turn:
    """What has been given away while the facts of one turn are looked at."""

    def __init__(self, room: Mapping[str, int | None]) -> None:
        self._left = dict(room)
        self._placed: set[str] = set()
        self.committing: dict[str, tuple[Submit, ...]] = {}
        """Blocks whose outputs are being published -> what was started ahead."""
        self.looks_again = False

    def take(self, block: BlockRun) -> bool:
        """Whether the block gets a place at once, on an executor whose room is known."""
        free = self._left.get(block.planned.executor)
        if not free or block.name in self._placed:
            return False
        self._left[block.planned.executor] = free - 1
        self._placed.add(block.name)
        return True

    def following(self, state: RunState) -> Iterator[Effect]:
        """What workers are given after those blocks that have ended in this turn."""
        lines = [[submit.block] for ahead in self.committing.values() for submit in ahead]
        for name in self.committing:
            rest = [each for each in state.line(name) if each not in self.committing]
            if rest and rest not in lines:
                lines.append(rest)
        for line in lines:
            yield from line_behind(state, line, self.committing)
        if self.looks_again:
            yield LookAgain()


def started_ahead(state: RunState, block: BlockRun, turn: Turn) -> Iterator[Submit]:
    """What may start now because `block` has ended well, though that is not published yet.

    What waited for it alone comes first, for its worker still holds the values; then what has been
    ready before.
    """
    if state.cancelling or state.doomed:
        return
    below = (
        name
        for name in state.waiting_only_for(block.name)
        if state.blocks[name].planned.type in _WITHOUT_EFFECTS
    )
    for name in islice(chain(below, state.ready), _MOST_AHEAD):
        if turn.take(state.blocks[name]):
            yield Submit(name, state.blocks[name].sequence + 1, state.blocks[name].attempts + 1)
