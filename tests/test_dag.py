"""The graph keeps its promises for every shape of pipeline, and for very large ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.dag import Graph, find_cycle
from jupyter_blocks.errors import ProjectError

DIAMOND = {"load": [], "left": ["load"], "right": ["load"], "join": ["left", "right"]}


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    """Edges that only go from a lower number to a higher one, written in any order."""
    size = draw(st.integers(0, 12))
    edges = {f"b{i}": [f"b{j}" for j in range(i) if draw(st.booleans())] for i in range(size)}
    return {name: edges[name] for name in draw(st.permutations(sorted(edges)))}


@st.composite
def any_edges(draw: st.DrawFn) -> dict[str, list[str]]:
    """Edges in any direction, self loops included."""
    names = [f"b{i}" for i in range(draw(st.integers(0, 7)))]
    return {name: draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}


def closure(edges: dict[str, list[str]]) -> dict[str, set[str]]:
    """Ancestors of every name, by the plainest method there is."""
    found = {name: set(names) for name, names in edges.items()}
    for middle in edges:
        for name in edges:
            if middle in found[name]:
                found[name] |= found[middle]
    return found


@given(acyclic())
def test_order_holds_every_block_after_its_upstream_blocks(edges: dict[str, list[str]]) -> None:
    """A block never stands before a block it depends on."""
    order = Graph(edges).order
    assert sorted(order) == sorted(edges)
    place = {name: index for index, name in enumerate(order)}
    assert all(place[up] < place[name] for name, names in edges.items() for up in names)


@given(acyclic())
def test_ties_are_decided_by_the_given_order(edges: dict[str, list[str]]) -> None:
    """At every step the first given block whose upstream blocks are done is next."""
    given_order, done = list(edges), set()
    for name in Graph(edges).order:
        ready = [n for n in given_order if n not in done and set(edges[n]) <= done]
        assert name == ready[0]
        done.add(name)


@given(acyclic())
def test_ancestors_and_descendants_are_the_transitive_closure(edges: dict[str, list[str]]) -> None:
    """Ancestors are everything upstream, descendants the same relation read backwards."""
    graph, expected = Graph(edges), closure(edges)
    assert {name: graph.ancestors(name) for name in edges} == expected
    assert {name: graph.descendants(name) for name in edges} == {
        name: {other for other in edges if name in expected[other]} for name in edges
    }


@given(any_edges())
def test_a_cycle_is_found_exactly_when_there_is_one(edges: dict[str, list[str]]) -> None:
    """The path runs along existing edges and ends where it began; no path means no cycle."""
    cycle = find_cycle(edges)
    has_cycle = any(name in above for name, above in closure(edges).items())
    assert (cycle is not None) == has_cycle
    if cycle:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(a in edges[b] for a, b in pairwise(cycle))


def test_downstream_blocks_come_in_the_given_order() -> None:
    """Both directions of each edge can be asked for."""
    graph = Graph(DIAMOND)
    assert graph.downstream == {
        "load": ("left", "right"),
        "left": ("join",),
        "right": ("join",),
        "join": (),
    }
    assert graph.upstream["join"] == ("left", "right")


def test_an_edge_given_twice_is_one_edge() -> None:
    """A block that names an upstream block twice depends on it once."""
    graph = Graph({"a": [], "b": ["a", "a"]})
    assert graph.upstream["b"] == ("a",)
    assert graph.downstream["a"] == ("b",)


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ({"a": ["a"]}, "a -> a"),
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"load": [], "a": ["load", "c"], "b": ["a"], "c": ["b"]}, "a -> b -> c -> a"),
    ],
)
def test_a_cycle_is_refused_with_its_path(edges: dict[str, list[str]], path: str) -> None:
    """The path reads in the direction of the data, so that one can see which edge to remove."""
    with pytest.raises(ProjectError, match=f"cycle: {path}"):
        Graph(edges)


def test_ten_thousand_blocks_in_one_chain_are_no_burden() -> None:
    """Depth does not cost recursion: order, ancestors, descendants and a cycle are found."""
    size = 10_000
    chain = {f"b{i}": [f"b{i - 1}"] if i else [] for i in range(size)}
    graph = Graph(chain)
    assert graph.order == tuple(chain)
    assert len(graph.ancestors(f"b{size - 1}")) == size - 1
    assert len(graph.descendants("b0")) == size - 1
    cycle = find_cycle({**chain, "b0": [f"b{size - 1}"]})
    assert cycle is not None
    assert len(cycle) == size + 1


def test_an_empty_pipeline_has_an_empty_order() -> None:
    """No blocks is not an error."""
    assert Graph({}).order == ()
    assert find_cycle({}) is None
