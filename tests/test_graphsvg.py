"""The graph of a pipeline as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.graphsvg import graph_svg

NODES = [
    GraphNode("wait", "sensor"),
    GraphNode("load", "data_loader", ("wait",)),
    GraphNode("clean", "transformer", ("load",), "k8s"),
    GraphNode("notes", "custom"),
    GraphNode("save", "data_exporter", ("clean", "notes")),
]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(nodes: list[GraphNode] = NODES, name: str = "flights") -> ElementTree.Element:
    """The parsed drawing."""
    return ElementTree.fromstring(graph_svg(name, nodes))


def test_each_block_has_its_name_and_its_type_in_words() -> None:
    """Readable without colours, and by screen readers."""
    texts = ["".join(text.itertext()).strip() for text in drawn().iter(f"{SVG}text")]
    assert texts[0].split() == ["flights", "5", "blocks"]
    for name in ("wait", "load", "clean", "notes", "save"):
        assert name in texts
    assert "transformer · k8s" in texts
    assert drawn().get("aria-label") == "Pipeline flights: 5 blocks"


def test_hovering_tells_more() -> None:
    """Type, executor and what it reads."""
    titles = [title.text for title in drawn().iter(f"{SVG}title")]
    assert "save: data_exporter on local_python reads clean, notes" in titles


def test_an_arrow_for_each_edge() -> None:
    """Each ends at a block."""
    arrows = [path for path in drawn().iter(f"{SVG}path") if path.get("marker-end")]
    assert len(arrows) == sum(len(node.upstream) for node in NODES)


def test_light_and_dark() -> None:
    """Every colour has both, as the reader prefers; nothing is loaded from elsewhere."""
    text = graph_svg("flights", NODES)
    light, dark = re.findall(r":root\{([^}]*)\}", text)
    names = [re.findall(r"--([\w]+):", part) for part in (light, dark)]
    assert sorted(names[0]) == sorted(names[1])
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= set(names[0])
    assert "prefers-color-scheme:dark" in text
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []


def test_names_cannot_break_the_drawing() -> None:
    """Characters that mean something in XML are escaped; endless names are cut."""
    nodes = [GraphNode("a<b>&'\"", "custom"), GraphNode("x" * 100, "custom")]
    texts = ["".join(text.itertext()) for text in drawn(nodes, "p<q>").iter(f"{SVG}text")]
    assert any("a<b>&'\"" in text for text in texts)
    assert any(text.startswith("xxx") and text.endswith("…") for text in texts)


def test_nothing_to_draw() -> None:
    """An empty pipeline is a drawing with a title."""
    assert "0 blocks" in "".join(drawn([]).itertext())
