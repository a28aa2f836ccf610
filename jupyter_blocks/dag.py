"""The graph of a pipeline: order, ancestors, descendants, and a cycle with its path.

Pure and iterative: nothing here knows what a block is, and neither ten thousand blocks nor a chain
of ten thousand blocks is a burden. Whether upstream names exist is the caller's to check before.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from jupyter_blocks.errors import ProjectError

__all__ = ["Graph", "find_cycle"]

Edges: TypeAlias = Mapping[str, Sequence[str]]


class Graph:
    """A directed graph without cycles, given as each name's upstream names.

    The order of the mapping's keys is the given order: it decides wherever the edges do not.
    Raises `ProjectError` with the path of a cycle if there is one.
    """

    def __init__(self, upstream: Edges) -> None:
        self.upstream: Mapping[str, tuple[str, ...]] = {
            name: tuple(dict.fromkeys(names)) for name, names in upstream.items()
        }
        """Name -> the names it depends on directly, each once."""
        self.downstream: Mapping[str, tuple[str, ...]] = _reversed(self.upstream)
        """Name -> the names that depend on it directly, in the given order."""
        self.order: tuple[str, ...] = _topological(self.upstream, self.downstream)
        """Every name after all its upstream names; ties in the given order."""
        if len(self.order) < len(self.upstream):
            cycle = find_cycle(self.upstream) or ()
            raise ProjectError(
                f"The blocks form a cycle: {' -> '.join(cycle)}.",
                hint="Remove one of these edges.",
            )

    def ancestors(self, name: str) -> set[str]:
        """Every name that `name` depends on, directly or not; without `name` itself."""
        return _reachable(name, self.upstream)

    def descendants(self, name: str) -> set[str]:
        """Every name that depends on `name`, directly or not; without `name` itself."""
        return _reachable(name, self.downstream)

    def __repr__(self) -> str:
        edges = sum(len(names) for names in self.upstream.values())
        return f"<Graph of {len(self.upstream)} blocks and {edges} edges>"


def find_cycle(upstream: Edges) -> tuple[str, ...] | None:
    """The path of one cycle, downstream along the data (`a -> b -> a`), or none.

    The first name is also the last. Names that are no key of `upstream` are passed over.
    """
    done: set[str] = set()
    for start in upstream:
        if start not in done:
            cycle = _cycle_from(start, upstream, done)
            if cycle:
                return cycle
    return None


def _cycle_from(start: str, upstream: Edges, done: set[str]) -> tuple[str, ...] | None:
    """Walk upstream from `start`; `done` gathers the names that lead into no cycle."""
    path: dict[str, Iterator[str]] = {start: iter(upstream[start])}
    while path:
        name, remaining = next(reversed(path.items()))
        following = next((n for n in remaining if n in upstream and n not in done), None)
        if following is None:
            done.add(name)
            path.popitem()
        elif following in path:
            names = list(path)
            loop = names[names.index(following) :]
            # The walk went against the arrows; people read a cycle along them.
            return (following, *reversed(loop))
        else:
            path[following] = iter(upstream[following])
    return None


def _reversed(upstream: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {name: [] for name in upstream}
    for name, names in upstream.items():
        for source in names:
            found[source].append(name)
    return {name: tuple(names) for name, names in found.items()}


def _topological(
    upstream: Mapping[str, tuple[str, ...]], downstream: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Kahn's algorithm; of the names that are ready the first given one is next."""
    names = list(upstream)
    position = {name: index for index, name in enumerate(names)}
    missing = {name: len(sources) for name, sources in upstream.items()}
    ready = [position[name] for name, count in missing.items() if count == 0]
    order = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for follower in downstream[name]:
            missing[follower] -= 1
            if missing[follower] == 0:
                heapq.heappush(ready, position[follower])
    return tuple(order)


def _reachable(name: str, edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = list(edges[name])
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(edges[current])
    return found
