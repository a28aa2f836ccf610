"""Lines that are alike are one line that was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.linediff import Pair, aligned


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("a b", "a b", [(0, 0), (1, 1)]),
        ("total=1 b", "total=2 b", [(0, 0), (1, 1)]),
        ("total=1", "new total=2", [(None, 0), (0, 1)]),
        ("first=1 second=2", "first=2 other second=3", [(0, 0), (None, 1), (1, 2)]),
        ("abc", "xyz", [(0, None), (None, 0)]),
        ("", "", []),
    ],
)
def test_pairs(old: str, new: str, pairs: list[Pair]) -> None:
    """Equal, changed, gone, new."""
    assert aligned(old.split(), new.split()) == pairs


@given(st.lists(st.text("ab ", max_size=3)), st.lists(st.text("ab ", max_size=3)))
def test_every_line_is_there_once_and_in_order(old: list[str], new: list[str]) -> None:
    """Of both texts."""
    pairs = aligned(old, new)
    assert [one for one, _ in pairs if one is not None] == list(range(len(old)))
    assert [other for _, other in pairs if other is not None] == list(range(len(new)))
