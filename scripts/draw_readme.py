"""Draw the picture of the README: cells of the demo notebook, and the pipeline they become.

The demo really runs; names, edges and row counts are those of its run. Writes one SVG for light and
one for dark pages into docs/images.
"""

from __future__ import annotations

import io
import json
import keyword
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from jupyter_blocks.block import block_type
from jupyter_blocks.demo import NOTEBOOK, create_demo

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SHOWN = ("parameters", "load-flights", "join-weather", "delay-by-hour", "save-figure")
LINES = 5
"""Lines shown of a longer cell; the last one says that there is more."""

WIDTH, MARGIN = 1080, 20
CELL_WIDTH, CELL_GAP, LINE_HEIGHT, HEAD = 520, 12, 17, 26
NODE_WIDTH, NODE_HEIGHT, ROW, COLUMN = 150, 44, 88, 166

LIGHT = {
    "page": "#ffffff", "cell": "#f7f7f7", "line": "#d8d8d8", "text": "#212121", "soft": "#616161",
    "edge": "#9e9e9e", "keyword": "#008000", "string": "#ba2121", "comment": "#6a7680",
    "number": "#0b6e6e", "done": "#2e7d32", "loader": "#0072b2", "transformer": "#00835f",
    "exporter": "#c4510a", "sensor": "#a4508b", "custom": "#757575", "parameters": "#9a6b00",
}  # fmt: skip
DARK = {
    "page": "#111111", "cell": "#1c1c1c", "line": "#383838", "text": "#e8e8e8", "soft": "#b0b0b0",
    "edge": "#7d7d7d", "keyword": "#7ec699", "string": "#f08d49", "comment": "#8a949e",
    "number": "#79c0c0", "done": "#66bb6a", "loader": "#56b4e9", "transformer": "#3ccf9f",
    "exporter": "#f0935a", "sensor": "#dd93c4", "custom": "#a0a0a0", "parameters": "#e6b450",
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One block of the pipeline, as it is drawn."""

    name: str
    kind: str
    upstream: tuple[str, ...]
    note: str


def main() -> None:
    """Run the demo and write both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        project = create_demo(Path(folder) / "flights")
        result = blocks("run", project.notebook)
        graph = blocks("graph", project.notebook)
        cells = json.loads(project.notebook.read_text(encoding="utf-8"))["cells"]
    nodes = [
        Node(block["name"], block_type(block["type"]).tag, tuple(block["upstream"]), note(ended))
        for block in graph["blocks"]
        for ended in (result["blocks"][block["name"]],)
    ]
    IMAGES.mkdir(exist_ok=True)
    for theme, colors in (("light", LIGHT), ("dark", DARK)):
        text = "\n".join(picture(cells, nodes, colors)) + "\n"
        (IMAGES / f"pipeline-{theme}.svg").write_text(text, encoding="utf-8")


def blocks(command: str, target: Path) -> Any:
    """What `jupyter blocks COMMAND TARGET --json` prints."""
    words = [sys.executable, "-m", "jupyter_blocks", command, str(target), "--json"]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)  # noqa: S603


def note(ended: Mapping[str, Any]) -> str:
    """Second line of a node: how many rows it gave."""
    rows = [output["rows"] for output in ended["outputs"].values() if output["rows"] is not None]
    return " + ".join(f"{count:,}" for count in rows) + " rows" if rows else "done"


def picture(
    cells: list[dict[str, Any]], nodes: list[Node], colors: Mapping[str, str]
) -> Iterator[str]:
    """The lines of the SVG."""
    left: list[str] = []
    y = MARGIN
    for cell in cells:
        if cell["id"] in SHOWN:
            left += draw_cell(cell, y, colors)
            y += cell_height(cell) + CELL_GAP
    height = y - CELL_GAP + MARGIN
    places = layout(nodes, height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" font-family="system-ui, sans-serif">'
    )
    yield f"<title>Tagged cells of {NOTEBOOK}, and the pipeline they become</title>"
    yield f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{colors["page"]}"/>'
    yield from left
    yield from draw_edges(nodes, places, colors)
    for node in nodes:
        yield from draw_node(node, places[node.name], colors)
    yield "</svg>"


def source(cell: Mapping[str, Any]) -> list[str]:
    """The shown lines of a cell."""
    lines = "".join(cell["source"]).splitlines()
    if len(lines) <= LINES:
        return lines
    return [*"\n".join(lines[: LINES - 1]).rstrip().split("\n"), "..."]


def cell_height(cell: Mapping[str, Any]) -> int:
    """Height of a drawn cell, in pixels."""
    return HEAD + LINE_HEIGHT * len(source(cell)) + 12


def draw_cell(cell: Mapping[str, Any], y: int, colors: Mapping[str, str]) -> Iterator[str]:
    """One cell: a bar in the color of its type, the tag, and its code."""
    tag, _, name = cell["metadata"]["tags"][0].partition(":")
    color, height = colors[tag], cell_height(cell)
    yield (
        f'<rect x="{MARGIN}" y="{y}" width="{CELL_WIDTH}" height="{height}" rx="4" '
        f'fill="{colors["cell"]}" stroke="{colors["line"]}"/>'
    )
    yield f'<rect x="{MARGIN}" y="{y}" width="4" height="{height}" fill="{color}"/>'
    yield (
        f'<text x="{MARGIN + 16}" y="{y + 19}" font-size="13" font-weight="600" fill="{color}">'
        f'{tag} <tspan fill="{colors["text"]}">{name}</tspan></text>'
    )
    lines = source(cell)
    for number, spans in enumerate(highlight(lines)):
        text = "".join(
            f'<tspan fill="{colors[kind]}">{escape(part)}</tspan>' if kind else escape(part)
            for kind, part in spans
        )
        yield (
            f'<text x="{MARGIN + 16}" y="{y + HEAD + 14 + number * LINE_HEIGHT}" '
            f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12" '
            f'xml:space="preserve" fill="{colors["text"]}">{text}</text>'
        )


def highlight(lines: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Each line as (color key, text) pieces; plain text has the key ''."""
    marks: dict[int, list[tuple[int, int, str]]] = {}
    for token in tokens("\n".join(lines)):
        kind = {tokenize.STRING: "string", tokenize.COMMENT: "comment", tokenize.NUMBER: "number"}
        key = kind.get(token.type, "keyword" if keyword.iskeyword(token.string) else "")
        if key and token.start[0] == token.end[0]:
            marks.setdefault(token.start[0], []).append((token.start[1], token.end[1], key))
    for number, line in enumerate(lines, start=1):
        pieces, at = [], 0
        for start, end, key in marks.get(number, []):
            pieces += [("", line[at:start]), (key, line[start:end])]
            at = end
        yield [piece for piece in (*pieces, ("", line[at:])) if piece[1]]


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a piece of code that may end in the middle of a statement."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, IndentationError):
        return


def layout(nodes: list[Node], height: int) -> dict[str, tuple[float, float]]:
    """Center of each node: a row below everything it reads, as close to its readers as it can."""
    rows: dict[str, int] = {}
    for node in nodes:
        rows[node.name] = 1 + max((rows[name] for name in node.upstream), default=-1)
    for node in reversed(nodes):
        readers = [rows[other.name] for other in nodes if node.name in other.upstream]
        rows[node.name] = min(readers, default=rows[node.name] + 1) - 1
    last = max(rows.values())
    area_left = MARGIN + CELL_WIDTH + 2 * MARGIN
    center = (area_left + WIDTH - MARGIN) / 2
    top = (height - last * ROW) / 2
    places: dict[str, tuple[float, float]] = {}
    for row in range(last + 1):
        members = [node for node in nodes if rows[node.name] == row]
        members.sort(key=lambda node: pull(node.upstream, places, center))
        for index, node in enumerate(members):
            x = center + (index - (len(members) - 1) / 2) * COLUMN
            places[node.name] = (x, top + row * ROW)
    return places


def pull(
    upstream: Iterable[str], places: Mapping[str, tuple[float, float]], center: float
) -> float:
    """Where the blocks a node reads would like it to be."""
    xs = [places[name][0] for name in upstream]
    return sum(xs) / len(xs) if xs else center + 1


def draw_edges(
    nodes: list[Node], places: Mapping[str, tuple[float, float]], colors: Mapping[str, str]
) -> Iterator[str]:
    """A curve from each block to each of its readers."""
    for node in nodes:
        for name in node.upstream:
            (x1, y1), (x2, y2) = places[name], places[node.name]
            y1, y2 = y1 + NODE_HEIGHT / 2, y2 - NODE_HEIGHT / 2
            middle = (y1 + y2) / 2
            yield (
                f'<path d="M{x1:g} {y1:g} C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}" '
                f'fill="none" stroke="{colors["edge"]}" stroke-width="1.3"/>'
            )


def draw_node(node: Node, place: tuple[float, float], colors: Mapping[str, str]) -> Iterator[str]:
    """A block: a bar in the color of its type, name, rows and a tick."""
    x, y = place[0] - NODE_WIDTH / 2, place[1] - NODE_HEIGHT / 2
    yield (
        f'<rect x="{x:g}" y="{y:g}" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="4" '
        f'fill="{colors["page"]}" stroke="{colors["line"]}"/>'
    )
    yield f'<rect x="{x:g}" y="{y:g}" width="4" height="{NODE_HEIGHT}" fill="{colors[node.kind]}"/>'
    yield (
        f'<text x="{x + 13:g}" y="{y + 19:g}" font-size="12.5" font-weight="600" '
        f'fill="{colors["text"]}">{node.name}</text>'
    )
    yield (
        f'<text x="{x + 13:g}" y="{y + 35:g}" font-size="11" fill="{colors["soft"]}">'
        f"{node.note}</text>"
    )
    yield (
        f'<path d="M{x + NODE_WIDTH - 20:g} {y + 15:g} l4 4 l7 -8" fill="none" '
        f'stroke="{colors["done"]}" stroke-width="2"/>'
    )


if __name__ == "__main__":
    main()
