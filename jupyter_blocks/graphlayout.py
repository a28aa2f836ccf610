"""Where the nodes and edges of a graph go: layers from top to bottom, few crossings, short edges.

Four steps (Sugiyama): each node gets a layer below all it reads; edges that pass layers get a bend
in each, shared by edges with a common end; the order within the layers is improved sweep by sweep;
positions are the closest to each node's neighbours that keep the order. The same graph gives the
same layout.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "Point", "lay_out"]

LAYER_SIZE = 12
"""Nodes of one layer; more of them would make the drawing too wide to read."""
GAP = 24.0
BEND_WIDTH = 6.0
BEND_GAP = 10.0
_ORDER_SWEEPS = 12
_POSITION_SWEEPS = 16
_BEND_WEIGHT = 16.0
"""How much more a bend wants to be in line than a node."""

Bend = tuple[str, str, int]
"""Where edges pass a layer: `from` or `to`, the node that all of them share, the layer."""
Item = str | Bend
"""What a layer holds: a node, by its name, or a bend."""
Edges = dict[Item, list[Item]]


@dataclass(frozen=True)
class Point:
    """A place: the middle of a node or a bend, and the number of its layer, from the top."""

    x: float
    layer: int


@dataclass(frozen=True)
class Layout:
    """Where everything is. The left end of the drawing is at 0."""

    points: Mapping[Item, Point]
    segments: tuple[tuple[Item, Item], ...]
    """The pieces edges are made of, each from a node or a bend to one a layer below; each once."""
    width: float
    layers: int


def lay_out(upstream: Mapping[str, Sequence[str]], widths: Mapping[str, float]) -> Layout:
    """Lay out a graph; `upstream` is in topological order, `widths` are those of the nodes."""
    layer_of = _layers(upstream)
    segments = _segments(upstream, layer_of)
    layers: list[list[Item]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name in upstream:
        layers[layer_of[name]].append(name)
    for bend in dict.fromkeys(lower for _, lower in segments if not isinstance(lower, str)):
        # In the middle, where many nodes that share their neighbours stay centred around it.
        layers[bend[2]].insert(len(layers[bend[2]]) // 2, bend)
    above, below = _neighbours(segments)
    layers = _ordered(layers, above, below)
    x = _positions(layers, above, below, widths)
    points = {item: Point(x[item], number) for number, row in enumerate(layers) for item in row}
    width = max((x[item] + _width(item, widths) / 2 for item in x), default=0.0)
    return Layout(points, tuple(segments), width, len(layers))


# layers


def _layers(upstream: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each node: below all it reads, in the first layer with room."""
    layer_of: dict[str, int] = {}
    used: dict[int, int] = {}
    for name, sources in upstream.items():
        layer = max((layer_of[source] for source in sources), default=-1) + 1
        while used.get(layer, 0) >= LAYER_SIZE:
            layer += 1
        layer_of[name] = layer
        used[layer] = used.get(layer, 0) + 1
    return _lowered(upstream, layer_of, used)


def _lowered(
    upstream: Mapping[str, Sequence[str]], layer_of: dict[str, int], used: dict[int, int]
) -> dict[str, int]:
    """Nodes that read nothing move down to just above their first reader, where there is room."""
    first_reader: dict[str, int] = {}
    for name, sources in upstream.items():
        for source in sources:
            layer = layer_of[name]
            first_reader[source] = min(first_reader.get(source, layer), layer)
    for name, sources in upstream.items():
        wanted = first_reader.get(name, 0) - 1
        if not sources and wanted > layer_of[name] and used.get(wanted, 0) < LAYER_SIZE:
            used[layer_of[name]] -= 1
            used[wanted] = used.get(wanted, 0) + 1
            layer_of[name] = wanted
    lowest = min(layer_of.values(), default=0)
    return {name: layer - lowest for name, layer in layer_of.items()}


def _segments(
    upstream: Mapping[str, Sequence[str]], layer_of: Mapping[str, int]
) -> dict[tuple[Item, Item], None]:
    """The pieces of all edges. Of the two ends of an edge, the busier one shares its bends."""
    readers = Counter(source for sources in upstream.values() for source in set(sources))
    found: dict[tuple[Item, Item], None] = {}
    for target, sources in upstream.items():
        for source in dict.fromkeys(sources):
            shared = ("from", source) if readers[source] >= len(sources) else ("to", target)
            between = range(layer_of[source] + 1, layer_of[target])
            chain: list[Item] = [source, *((*shared, layer) for layer in between), target]
            found.update(dict.fromkeys(pairwise(chain)))
    return found


def _neighbours(segments: Iterable[tuple[Item, Item]]) -> tuple[Edges, Edges]:
    """What is above and what is below each node and bend."""
    above: Edges = {}
    below: Edges = {}
    for upper, lower in segments:
        below.setdefault(upper, []).append(lower)
        above.setdefault(lower, []).append(upper)
    return above, below


# order


def _ordered(layers: list[list[Item]], above: Edges, below: Edges) -> list[list[Item]]:
    """The layers in an order with few crossings: sweeps down and up, the best one is kept."""
    best, fewest = layers, _crossings(layers, below)
    current = layers
    for sweep in range(_ORDER_SWEEPS):
        if fewest == 0:
            break
        current = _swept(current, above) if sweep % 2 == 0 else _swept(current[::-1], below)[::-1]
        crossings = _crossings(current, below)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _swept(layers: Sequence[list[Item]], towards: Edges) -> list[list[Item]]:
    """Each layer sorted by the mean place of its neighbours in the layer before."""
    result = [list(layers[0])] if layers else []
    for layer in layers[1:]:
        result.append(_sorted_towards(layer, result[-1], towards))
    return result


def _sorted_towards(layer: Sequence[Item], other: Sequence[Item], towards: Edges) -> list[Item]:
    place = {item: number for number, item in enumerate(other)}
    scale = len(other) / max(1, len(layer))
    wishes = {}
    for number, item in enumerate(layer):
        near = [place[neighbour] for neighbour in towards.get(item, ())]
        wishes[item] = sum(near) / len(near) if near else number * scale
    return sorted(layer, key=wishes.__getitem__)


def _crossings(layers: Sequence[Sequence[Item]], below: Edges) -> int:
    """How many pairs of edges cross."""
    total = 0
    for upper, lower in pairwise(layers):
        place = {item: number for number, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(place[other] for other in below.get(item, ()) if other in place)
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


# positions


def _positions(
    layers: Sequence[Sequence[Item]], above: Edges, below: Edges, widths: Mapping[str, float]
) -> dict[Item, float]:
    """The middle of each node and bend: as near to its neighbours as the order allows."""
    x: dict[Item, float] = {}
    for layer in layers:
        right = 0.0
        for item, gap in zip(layer, [0.0, *_gaps(layer, widths)], strict=True):
            right += gap
            x[item] = right
    for sweep in range(_POSITION_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wishes = [_wish(item, x, above, below) for item in layer]
            weights = [1.0 if isinstance(item, str) else _BEND_WEIGHT for item in layer]
            x.update(zip(layer, _placed(wishes, weights, _gaps(layer, widths)), strict=True))
    left = min((x[item] - _width(item, widths) / 2 for item in x), default=0.0)
    return {item: value - left for item, value in x.items()}


def _wish(item: Item, x: Mapping[Item, float], above: Edges, below: Edges) -> float:
    near = [*above.get(item, ()), *below.get(item, ())]
    if not isinstance(item, str):
        near = [other for other in near if not isinstance(other, str)] or near
    return sum(x[other] for other in near) / len(near) if near else x[item]


def _placed(
    wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]
) -> list[float]:
    """The positions nearest to the wishes, in order and at least `gaps` apart.

    Neighbours that would be too close are joined to a block that moves as one (pool adjacent
    violators, which gives the least sum of squares).
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, size
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        mean, total, size = wish - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_total, other_size = pools.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, size = total + other_total, size + other_size
        pools.append((mean, total, size))
    placed = [mean for mean, _, size in pools for _ in range(size)]
    return [value + offset for value, offset in zip(placed, offsets, strict=True)]


def _gaps(layer: Sequence[Item], widths: Mapping[str, float]) -> list[float]:
    """The least distances between the middles of neighbours."""
    gaps = []
    for left, right in pairwise(layer):
        both_nodes = isinstance(left, str) and isinstance(right, str)
        gap = GAP if both_nodes else BEND_GAP
        gaps.append((_width(left, widths) + _width(right, widths)) / 2 + gap)
    return gaps


def _width(item: Item, widths: Mapping[str, float]) -> float:
    return widths[item] if isinstance(item, str) else BEND_WIDTH
