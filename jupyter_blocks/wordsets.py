"""Sets of words, written as one text: the tables of names that the analysis knows by heart."""

from __future__ import annotations

__all__ = ["word_set"]


def word_set(text: str) -> frozenset[str]:
    """The words of a text, whatever white space stands between them."""
    return frozenset(text.split())
