"""Files are the same if code and comments are; a merge holds what either side changed."""

from __future__ import annotations

import pytest

from jupyter_blocks.samecode import same_code, unmerged

BASE = "import os\n\n\n@d\ndef f(a):\n    x = 1\n    # said\n    y = 2\n    return x\n"


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("x = 1", "x = (1)", True),
        ("    y", "\n    y", True),
        ("# said", "#  said", True),
        ("import os", "import os, os", False),
        ("# said", "# more", False),
        ("y = 2", "y = 3", False),
        ("def f(a)", "def f(a, b)", False),
        ("y = 2", "y =", False),
    ],
)
def test_layout_is_no_difference(old: str, new: str, is_same: bool) -> None:
    """Code and comments are; what is not Python is like nothing."""
    assert same_code(BASE, BASE.replace(old, new)) is is_same


def change(*pairs: tuple[str, str]) -> str:
    text = BASE
    for old, new in pairs:
        text = text.replace(old, new)
    return text


ONE = ("x = 1", "x = 9")
TWO = ("y = 2", "y = 8")


@pytest.mark.parametrize(
    ("edited", "now", "merged", "is_merge"),
    [
        ([ONE], [], [ONE], True),
        ([ONE], [TWO], [ONE, TWO], True),
        ([ONE], [ONE], [ONE], True),
        ([ONE], [TWO], [TWO], False),
        ([ONE], [TWO], [ONE], False),
        ([], [], [("    y = 2\n", "")], False),
        ([("    y = 2\n", "")], [], [], False),
        ([("# said", "# more")], [], [], False),
        ([("import os", "import os\nimport re")], [], [], False),
        ([("import os\n", "")], [], [], True),
        ([], [], [("def f(a)", "def f(a, b)")], True),
        ([("def f(a)", "def f(a, b)")], [], [], False),
        ([("def f(a)", "def f(a, b)")], [], [("def f(a)", "def f(b, a)")], True),
        ([], [], [("x = 1", "x = 1\n    z = 1")], False),
    ],
)
def test_a_merge_holds_both_sides(
    edited: list[tuple[str, str]],
    now: list[tuple[str, str]],
    merged: list[tuple[str, str]],
    is_merge: bool,
) -> None:
    """Signature and return are export's: they count where somebody changed them."""
    found = unmerged(BASE, change(*edited), change(*now), change(*merged), "", {"f"})
    assert (found == []) is is_merge


def test_a_definition_may_have_moved() -> None:
    """To the module that blocks share, with its comments."""
    function = "def g():\n    # why\n    return 1\n\n\n"
    edited = change(("@d", f"{function}@d"))
    assert unmerged(BASE, edited, BASE, BASE, "", {"f"})
    assert not unmerged(BASE, edited, BASE, BASE, function, {"f"})
