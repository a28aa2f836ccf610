"""Which line of one text became which line of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

__all__ = ["Pair", "aligned"]

Pair = tuple[int | None, int | None]
"""Index of a line in the old text and in the new one; None: it is in one of them only."""

_LIKE = 0.5
"""How alike two lines are, from 0 to 1, that are taken for one line that was changed."""
_MOST = 10_000
"""Most comparisons of single lines within one changed passage."""


def aligned(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Pairs of lines in order: equal ones, changed ones, and those that only one text has."""
    pairs: list[Pair] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind == "equal":
            pairs += zip(range(start, end), range(first, last), strict=True)
        elif kind == "replace" and (end - start) * (last - first) <= _MOST:
            pairs += [
                (None if one is None else start + one, None if other is None else first + other)
                for one, other in _changed(old[start:end], new[first:last])
            ]
        else:
            pairs += [(index, None) for index in range(start, end)]
            pairs += [(None, index) for index in range(first, last)]
    return pairs


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Pair]:
    """The pairs of a changed passage that are the most alike in sum."""
    scores = [[_likeness(one, other) for other in new] for one in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for row in range(len(old) - 1, -1, -1):
        for column in range(len(new) - 1, -1, -1):
            paired = scores[row][column] and scores[row][column] + best[row + 1][column + 1]
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    row = column = 0
    while row < len(old) and column < len(new):
        score = scores[row][column]
        if score and best[row][column] == score + best[row + 1][column + 1]:
            yield row, column
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            yield row, None
            row += 1
        else:
            yield None, column
            column += 1
    yield from ((index, None) for index in range(row, len(old)))
    yield from ((None, index) for index in range(column, len(new)))


def _likeness(one: str, other: str) -> float:
    if not one.strip() or not other.strip():
        return 0.0
    ratio = SequenceMatcher(None, one.strip(), other.strip(), autojunk=False).ratio()
    return ratio if ratio >= _LIKE else 0.0
