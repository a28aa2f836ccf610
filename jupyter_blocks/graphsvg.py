"""The graph of a pipeline as one SVG file: self-contained, light and dark, readable without colour.

Colours are those of the block types everywhere in Jupyter Blocks; they stay apart for colour-blind
eyes, and the type is also written on each block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from jupyter_blocks.graphlayout import Layout, Point, lay_out
from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.tables import cut, display_width

__all__ = ["graph_svg"]

MARGIN = 24.0
NODE_HEIGHT = 40.0
LAYER_DISTANCE = 84.0
_NAME_LENGTH = 34
_NAME_CHAR, _NOTE_CHAR = 7.2, 5.9
"""Widths of an average character of the two lines of a node."""
_PADDING = 26.0
_LEAST_WIDTH = 112.0
_HEADING = 30.0

_STYLE = """\
:root{--bg:#fff;--line:#d5d8dc;--edge:#9aa0a6;--fg:#212121;--fg2:#5f6368;
--loader:#0072b2;--transformer:#00835f;--exporter:#c4510a;--sensor:#a4508b;--custom:#9a6b00}
@media (prefers-color-scheme:dark){:root{--bg:#111;--line:#3c4043;--edge:#80868b;--fg:#e8e8e8;
--fg2:#b0b0b0;--loader:#56b4e9;--transformer:#3ccf9f;--exporter:#f0935a;--sensor:#dd93c4;
--custom:#e6b450}}
text{font-family:Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--fg2);
font-size:10.5px}
.n{fill:var(--fg);font-size:12.5px;font-weight:600}
.h{fill:var(--fg);font-size:14px;font-weight:600}
.e{fill:none;stroke:var(--edge);stroke-width:1.3}
.b{fill:var(--bg);stroke:var(--line)}"""

_ARROW = """\
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"
orient="auto"><path d="M0 0.8L7 4L0 7.2z" fill="var(--edge)"/></marker></defs>"""


def graph_svg(pipeline: str, nodes: Sequence[GraphNode]) -> str:
    """The text of the SVG; `nodes` are in topological order."""
    widths = {node.name: _width(node) for node in nodes}
    layout = lay_out({node.name: node.upstream for node in nodes}, widths)
    heading = f"{len(nodes)} blocks" if len(nodes) != 1 else "1 block"
    title_width = (display_width(pipeline) + len(heading) + 4) * 8.5
    width = max(layout.width, title_width) + 2 * MARGIN
    height = _y(max(0, layout.layers - 1)) + NODE_HEIGHT + MARGIN
    label = escape(f"Pipeline {pipeline}: {heading}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"',
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{label}">',
        f"<style>{_STYLE}</style>",
        _ARROW,
        '<rect width="100%" height="100%" fill="var(--bg)"/>',
        f'<text x="{MARGIN:.0f}" y="{MARGIN + 4:.0f}">',
        f'<tspan class="h">{escape(pipeline)}</tspan> <tspan dx="6">{heading}</tspan></text>',
        *_edges(layout),
        *(_node(node, layout.points[node.name], widths[node.name]) for node in nodes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _edges(layout: Layout) -> Iterable[str]:
    for upper, lower in layout.segments:
        marker = ' marker-end="url(#a)"' if isinstance(lower, str) else ""
        path = _path(layout.points[upper], layout.points[lower], passes=not isinstance(lower, str))
        yield f'<path class="e"{marker} d="{path}"/>'


def _path(upper: Point, lower: Point, *, passes: bool) -> str:
    """From the foot of one layer to the head of the next, and upright through it at a bend."""
    top, bottom = _y(upper.layer) + NODE_HEIGHT, _y(lower.layer)
    start, end, middle = upper.x + MARGIN, lower.x + MARGIN, (top + bottom) / 2
    through = f"V{bottom + NODE_HEIGHT:.1f}" if passes else ""
    return (
        f"M{start:.1f} {top:.1f}"
        f"C{start:.1f} {middle:.1f} {end:.1f} {middle:.1f} {end:.1f} {bottom:.1f}{through}"
    )


def _node(node: GraphNode, point: Point, width: float) -> str:
    x, y = point.x + MARGIN - width / 2, _y(point.layer)
    reads = f" reads {', '.join(node.upstream)}" if node.upstream else ""
    about = f"{node.name}: {node.type} on {node.executor or 'local_python'}{reads}"
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><title>{escape(about)}</title>'
        f'<rect class="b" width="{width:.1f}" height="{NODE_HEIGHT:.0f}" rx="5"/>'
        f'<rect width="5" height="{NODE_HEIGHT:.0f}" rx="2.5" fill="var(--{node.tag})"/>'
        f'<text class="n" x="14" y="17">{escape(cut(node.name, _NAME_LENGTH))}</text>'
        f'<text x="14" y="31"><tspan fill="var(--{node.tag})">{node.tag}</tspan>'
        f"{escape(_note(node))}</text></g>"
    )


def _note(node: GraphNode) -> str:
    """The executor, where it is not the usual one."""
    return f" · {node.executor}" if node.executor not in ("", "local_python") else ""


def _width(node: GraphNode) -> float:
    name = display_width(cut(node.name, _NAME_LENGTH)) * _NAME_CHAR
    note = len(node.tag + _note(node)) * _NOTE_CHAR
    return max(_LEAST_WIDTH, name + _PADDING, note + _PADDING)


def _y(layer: int) -> float:
    return MARGIN + _HEADING + layer * LAYER_DISTANCE
