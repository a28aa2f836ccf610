"""The graph of a pipeline as text."""

from __future__ import annotations

from textwrap import dedent

import pytest

from jupyter_blocks.console import Style
from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.graphtext import MAX_LANES, graph_text


def nodes(*specs: str) -> list[GraphNode]:
    """Nodes from texts like `clean < load, names`; those that read nothing are loaders."""
    found = []
    for spec in specs:
        name, _, upstream = spec.partition(" < ")
        above = tuple(upstream.split(", ")) if upstream else ()
        found.append(GraphNode(name, "transformer" if above else "data_loader", above))
    return found


def lanes(*specs: str) -> list[str]:
    """The drawing without titles and types."""
    lines = graph_text(nodes(*specs)).split("\n")[1:]
    return [line[: line.rindex("  ")].rstrip() for line in lines]


@pytest.mark.parametrize(
    ("specs", "drawing"),
    [
        pytest.param(
            ("a", "b < a", "c < b"),
            """
            ●  a
            ■  b
            ■  c
            """,
            id="a chain is a straight line",
        ),
        pytest.param(
            ("a", "b", "c < a, b"),
            """
            ●    a
            │ ●  b
            ■─╯  c
            """,
            id="two lanes end in one block",
        ),
        pytest.param(
            ("a", "b < a", "c < a", "d < b, c"),
            """
            ●    a
            ├─■  b
            ■ │  c
            ■─╯  d
            """,
            id="a lane goes on to its last reader",
        ),
        pytest.param(
            ("a", "b", "c < a", "d < a, b"),
            """
            ●      a
            │ ●    b
            ├─│─■  c
            ■─╯    d
            """,
            id="a lane that is only crossed stays upright",
        ),
        pytest.param(
            ("a", "b", "c", "d < a, b, c", "e < a, b, c"),
            """
            ●        a
            │ ●      b
            │ │ ●    c
            ├─┼─┼─■  d
            ■─┴─╯    e
            """,
            id="a lane between two ends joins",
        ),
        pytest.param(
            ("a", "b"),
            """
            ●  a
            ●  b
            """,
            id="blocks that nobody reads need no lane",
        ),
    ],
)
def test_lanes(specs: tuple[str, ...], drawing: str) -> None:
    """Each block has a row; lanes run from a block down to the last one that reads it."""
    assert lanes(*specs) == dedent(drawing).strip().split("\n")


def test_types_are_told_by_symbol_and_word() -> None:
    """Readable without colours."""
    kinds = ("sensor", "data_loader", "transformer", "data_exporter", "custom")
    text = graph_text([GraphNode(kind[:4], kind) for kind in kinds])
    rows = [line.split() for line in text.split("\n")[1:]]
    assert [row[0] for row in rows] == ["◇", "●", "■", "▲", "◆"]
    assert [row[2] for row in rows] == ["sensor", "loader", "transformer", "exporter", "custom"]


def test_executors_are_shown_where_they_differ() -> None:
    """One word in a column of its own; nothing where everything runs here."""
    local = [GraphNode("a", "data_loader", (), "local_python")]
    assert "local_python" not in graph_text(local)
    both = [*local, GraphNode("b", "transformer", ("a",), "k8s")]
    assert graph_text(both).split("\n")[1:] == [
        "●  a      loader       local_python",
        "■  b      transformer  k8s",
    ]


def test_150_blocks_are_readable() -> None:
    """A fan of 148 is a table: who reads what, in words, with no line too long."""
    fan = [f"t{number}" for number in range(148)]
    specs = ("source", *(f"{name} < source" for name in fan), f"sink < {', '.join(fan)}")
    lines = graph_text(nodes(*specs)).split("\n")
    assert len(lines) == 151
    assert lines[2].split() == ["t0", "transformer", "source"]
    assert lines[-1].split(maxsplit=2)[2] == "t0, t1, t2, t3 and 144 more"
    assert max(map(len, lines)) < 80


def test_a_long_chain_has_one_lane() -> None:
    """150 blocks one after the other stay at the left."""
    specs = ["b0", *(f"b{number} < b{number - 1}" for number in range(1, 150))]
    assert all(line[0] in "●■" for line in graph_text(nodes(*specs)).split("\n")[1:])


def test_most_lanes() -> None:
    """Up to a limit lanes are drawn."""
    loaders = [f"l{number}" for number in range(MAX_LANES)]
    assert "╯" in graph_text(nodes(*loaders, f"all < {', '.join(loaders)}"))
    assert "╯" not in graph_text(
        nodes(*loaders, "one more", f"all < {', '.join(loaders)}, one more")
    )


def test_colours_change_nothing_else() -> None:
    """Without the codes, the same text."""
    specs = nodes("a", "b < a", "c < a, b")
    painted = graph_text(specs, Style(colour=True))
    assert "\x1b[32m■" in painted
    codes = ("\x1b[32m", "\x1b[34m", "\x1b[2m", "\x1b[0m")
    for code in codes:
        painted = painted.replace(code, "")
    assert painted == graph_text(specs)
