"""The header of an exported file says where each line is from, and shows every edit."""

from __future__ import annotations

import pytest

from jupyter_blocks.blockfile import Passage, SourceRange, compose, is_intact, parse_header

PASSAGES = (
    Passage("import os", "a1", 1),
    Passage(""),
    Passage("def f():"),
    Passage("    x = 1\n    y = 2", "b2", 3),
    Passage("    z = 3", "b2", 5),
    Passage("    w = 4", "b2", 9),
    Passage("    return w"),
)


def text(*passages: Passage) -> str:
    return compose(passages or PASSAGES, pipeline="p", notebook="my notes/n.ipynb", block="f")


def test_the_header_is_read_back_as_it_was_written() -> None:
    """Notebook, pipeline, block and the lines of each cell; neighbours become one range."""
    header = parse_header(text())
    assert header is not None
    assert (header.pipeline, header.notebook, header.block) == ("p", "my notes/n.ipynb", "f")
    assert header.sources == (
        SourceRange("a1", 1, 7, 7),
        SourceRange("b2", 3, 10, 12),
        SourceRange("b2", 9, 13, 13),
    )
    assert header.digest


def test_every_line_is_found_in_its_cell() -> None:
    """The ranges are those of the file, and lines of ours belong to no cell."""
    written = text()
    header = parse_header(written)
    assert header is not None
    found = {
        line.strip(): header.locate(number)
        for number, line in enumerate(written.splitlines(), start=1)
        if line and not line.startswith("#")
    }
    assert found == {
        "import os": ("a1", 1),
        "def f():": None,
        "x = 1": ("b2", 3),
        "y = 2": ("b2", 4),
        "z = 3": ("b2", 5),
        "w = 4": ("b2", 9),
        "return w": None,
    }


def test_a_module_of_helpers_has_no_block() -> None:
    """Its header names the pipeline only."""
    header = parse_header(compose([Passage("x = 1", "#7")], pipeline="p", notebook="n.ipynb"))
    assert header is not None
    assert header.block == ""
    assert header.sources[0].cell == "#7"


@pytest.mark.parametrize(
    "edit",
    [
        lambda written: written.replace("x = 1", "x = 2"),
        lambda written: written + "\n",
        lambda written: written.replace("exported from", "exported  from"),
        lambda written: written.replace("# source: cell a1", "# source: cell a2"),
        lambda written: written.replace("# digest: ", "# digest: 0"),
        lambda written: "x = 1\n",
        lambda written: "",
    ],
)
def test_every_edit_is_seen(edit) -> None:  # type: ignore[no-untyped-def]
    """Code, header or digest."""
    assert is_intact(text())
    assert not is_intact(edit(text()))


def test_other_line_ends_are_no_edit() -> None:
    """Git may turn line feeds into CRLF."""
    assert is_intact(text().replace("\n", "\r\n"))


@pytest.mark.parametrize("written", ["", "import os\n", "# Block f of something\nx = 1\n"])
def test_a_file_written_by_hand_has_no_header(written: str) -> None:
    """Whatever it says."""
    assert parse_header(written) is None
