"""Where nodes and edges go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.graphlayout import LAYER_SIZE, Layout, lay_out


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Any acyclic graph, in topological order."""
    count = draw(st.integers(0, 40))
    names = [f"n{number}" for number in range(count)]
    graph: dict[str, tuple[str, ...]] = {}
    for number, name in enumerate(names):
        above = st.sampled_from(names[:number]) if number else st.nothing()
        graph[name] = tuple(draw(st.lists(above, max_size=4, unique=True)) if number else ())
    return graph


def laid_out(graph: Mapping[str, Sequence[str]]) -> Layout:
    return lay_out(graph, dict.fromkeys(graph, 100.0))


@given(graphs())
def test_every_edge_leads_down(graph: dict[str, tuple[str, ...]]) -> None:
    """A block stands below all it reads, and pieces of edges go from layer to layer."""
    layout = laid_out(graph)
    for name, sources in graph.items():
        assert all(layout.points[source].layer < layout.points[name].layer for source in sources)
    for upper, lower in layout.segments:
        assert layout.points[lower].layer == layout.points[upper].layer + 1


@given(graphs())
def test_nothing_overlaps(graph: dict[str, tuple[str, ...]]) -> None:
    """Nodes of a layer have a gap between them, and all are inside the drawing."""
    layout = laid_out(graph)
    layers: dict[int, list[float]] = {}
    for name in graph:
        point = layout.points[name]
        layers.setdefault(point.layer, []).append(point.x)
        assert 50 - 1e-6 <= point.x <= layout.width - 50 + 1e-6
    for xs in layers.values():
        assert len(xs) <= LAYER_SIZE
        ordered = sorted(xs)
        assert all(right - left > 100 for left, right in pairwise(ordered))


@given(graphs())
def test_every_edge_is_drawn_and_no_other(graph: dict[str, tuple[str, ...]]) -> None:
    """Following the pieces from a block leads to exactly the blocks that read it."""
    layout = laid_out(graph)
    below: dict[object, list[object]] = {}
    for upper, lower in layout.segments:
        below.setdefault(upper, []).append(lower)
    drawn = set()
    for name in graph:
        pending = [(lower, name) for lower in below.get(name, ())]
        while pending:
            item, source = pending.pop()
            if isinstance(item, str):
                drawn.add((source, item))
            else:
                pending += [(lower, source) for lower in below.get(item, ())]
    assert drawn == {(source, name) for name, sources in graph.items() for source in sources}


def test_a_chain_is_straight() -> None:
    """One below the other."""
    layout = laid_out({"a": (), "b": ("a",), "c": ("b",)})
    assert len({layout.points[name].x for name in "abc"}) == 1


def test_a_loader_stands_near_its_reader() -> None:
    """What reads nothing moves down, so that its edge is short."""
    layout = laid_out({"a": (), "b": ("a",), "c": ("b",), "names": (), "d": ("c", "names")})
    assert layout.points["names"].layer == layout.points["c"].layer


def test_crossings_that_can_be_avoided_are() -> None:
    """Two pairs that were named crosswise are put side by side."""
    layout = laid_out({"a": (), "b": (), "of_b": ("b",), "of_a": ("a",)})
    x = {name: point.x for name, point in layout.points.items()}
    assert (x["a"] < x["b"]) == (x["of_a"] < x["of_b"])


@pytest.mark.parametrize("count", [13, 148])
def test_wide_layers_are_broken(count: int) -> None:
    """A fan becomes several rows instead of one endless line."""
    fan = {f"t{number}": ("source",) for number in range(count)}
    layout = laid_out({"source": (), **fan, "sink": tuple(fan)})
    assert layout.width < 2 * LAYER_SIZE * 130


def test_the_same_graph_gives_the_same_layout() -> None:
    """A drawing can be kept under version control."""
    graph = {"a": (), "b": (), "c": ("a", "b"), "d": ("a",), "e": ("c", "d")}
    assert laid_out(graph) == laid_out(dict(graph))
