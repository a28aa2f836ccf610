"""Names of pipelines, runs, blocks and outputs as parts of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.keys import key_part, part_name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("load_flights", "load_flights"),
        ("v1.2-x", "v1.2-x"),
        ("a/b", "a%2Fb"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("a b", "a%20b"),
        ("50%", "50%25"),
        ("a~b", "a%7Eb"),
        ("ö", "%C3%B6"),
    ],
)
def test_names_become_parts_of_keys(name: str, part: str) -> None:
    """Letters, digits and `._-` stay; nothing climbs out of its folder or hides in it."""
    assert key_part(name) == part
    assert part_name(part) == name


@given(st.lists(st.text(min_size=1, max_size=120), min_size=2, max_size=2, unique=True))
def test_parts_are_distinct_legal_file_names(names: list[str]) -> None:
    """Two names never share a part, and no part is too long for a file system."""
    parts = [key_part(name) for name in names]
    assert parts[0] != parts[1]
    for name, part in zip(names, parts, strict=True):
        assert part.isascii()
        assert len(part) <= 200
        assert not part.startswith(".")
        assert "/" not in part
        assert "~" in part or part_name(part) == name


def test_nothing_has_no_name() -> None:
    """An empty name would be the folder above."""
    with pytest.raises(VariableError, match="need a name"):
        key_part("")
