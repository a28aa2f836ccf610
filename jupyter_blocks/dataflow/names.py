"""How each name of a scope stands at one point of the walk, and where two ways meet.

What reading a name means is told by the kind of scope (`scopes`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jupyter_blocks.dataflow.objects import NOTHING, Objects

__all__ = [
    "BEFORE",
    "GONE",
    "HERE",
    "Env",
    "FunctionFlow",
    "Names",
    "Var",
    "either",
]

BEFORE, HERE, GONE = 1, 2, 4
"""Ways in which a name may stand at one point: not touched yet, bound here, deleted here."""


class Var(NamedTuple):
    """How a name may stand, and the objects it may name."""

    ways: int
    objects: frozenset[int]


class Env(dict[str, Var]):
    """The names touched so far; `dead` once no statement can follow (`raise`, `break`, ...)."""

    __slots__ = ("dead",)

    def __init__(self, other: Mapping[str, Var] | None = None) -> None:
        super().__init__(other or {})
        self.dead = False


@dataclass(frozen=True)
class FunctionFlow:
    """What calling a function, or any method of a class, may read and change."""

    free: Mapping[str, int] = field(default_factory=dict)
    """Names it takes from the module, with the line of the first use."""
    changes: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    rest: str = ""
    """Name of `*args`."""
    changed_parameters: frozenset[str] = frozenset()
    gives_back: str = ""
    """The parameter that every `return` gives as it was given; empty if there is none."""
    gives_parts: frozenset[str] = frozenset()
    """Parameters that a `return` may give a part of."""
    gives_held: frozenset[str] = frozenset()
    """Parameters that a `return` may give, or give something that holds them."""
    keeps: frozenset[tuple[str, str]] = frozenset()
    """Pairs of parameters: the first is given the second to hold."""
    global_binds: tuple[str, ...] = ()
    later: bool = False
    """Whether its names are needed some time after the use rather than right away."""


class Names(ABC):
    """The names of one scope."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.env = Env()
        self.layers: list[dict[str, frozenset[int]]] = []
        """Variables of the comprehensions, and type parameters, that are being walked."""
        self.functions: dict[int, FunctionFlow] = {}
        """What objects that are functions do."""
        self.watchers: list[Env] = []
        """Each takes up every state that a name has while a `try` body runs."""
        self.forgiving = 0
        """Above 0 inside a `try` that catches NameError: a missing name is expected there."""

    @abstractmethod
    def absent(self, name: str) -> Var:
        """How a name stands that this scope has not touched."""

    @abstractmethod
    def read(self, name: str, line: int, *, later: bool = False, called: bool = False) -> None:
        """Note that `name` is read at this point, or `later` by a function made at this point.

        Where it is a function, what that function reads is needed now if it is `called`, and some
        time if it is only handed on.
        """

    @abstractmethod
    def define(self, name: str, flow: FunctionFlow) -> None:
        """Bind `name` to a function or class that does `flow`."""

    @abstractmethod
    def mutate(self, things: Iterable[int]) -> None:
        """Note that `things` may be changed in place."""

    def captured(self, _free: Iterable[str]) -> frozenset[int]:
        """What a function that is made here holds on to, if it takes `free` from around it."""
        return NOTHING

    @abstractmethod
    def is_method(self, kind: str, name: str) -> bool:
        """Whether a class of the notebook has a method `name` of a kind (`flow.METHOD_KINDS`)."""

    @abstractmethod
    def is_class(self, name: str) -> bool:
        """Whether `name` stands for a class of the notebook."""

    def set_inside(self, things: Iterable[int]) -> None:
        """Note that an attribute or an element of `things` is set."""
        self.mutate(things)

    @abstractmethod
    def called_outside(self, name: str) -> list[FunctionFlow | None]:
        """What a call of a name of outside may do; none stands for a function not known."""

    def called(self, name: str) -> list[FunctionFlow | None]:
        """What a call of `name` may do; none stands for a function not known."""
        found: list[FunctionFlow | None] = []
        for thing in self.value(name):
            outside = self.objects.outside_name(thing)
            if outside is None or thing in self.functions:
                found.append(self.functions.get(thing))
            else:
                found += self.called_outside(outside)
        return found or [None]

    def layered(self, name: str) -> frozenset[int] | None:
        """The objects of a comprehension variable; none if `name` is not one."""
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None

    def value(self, name: str) -> frozenset[int]:
        """The objects that `name` may stand for."""
        found = self.layered(name) if self.layers else None
        if found is not None:
            return found
        return (self.env.get(name) or self.absent(name)).objects

    def bind(self, name: str, things: frozenset[int]) -> None:
        """Bind `name` here, to one of `things`."""
        self._set(name, Var(HERE, things))

    def delete(self, name: str) -> None:
        """Delete `name` here."""
        self._set(name, Var(GONE, NOTHING))

    def absorb(self, flow: FunctionFlow, *, later: bool = False) -> None:
        """Note what a function reads and changes that is called here (or `later`)."""
        for name, line in flow.free.items():
            self.read(name, line, later=later or flow.later, called=True)
        for name in flow.changes:
            self.mutate(self.value(name))

    def make(self, flow: FunctionFlow) -> None:
        """Note that a function without a name is made here, to be called some time."""
        self.absorb(flow, later=True)

    def outside_class(self) -> Names:
        """The scope in which the functions of this scope look names up."""
        return self

    def join(self, first: Env, second: Env) -> Env:
        """How names stand where two ways meet."""
        if first.dead or second.dead:
            return second if first.dead else first
        joined = Env(first)
        for name, var in second.items():
            joined[name] = either(first.get(name) or self.absent(name), var)
        for name in first.keys() - second.keys():
            joined[name] = either(first[name], self.absent(name))
        return joined

    def _set(self, name: str, var: Var) -> None:
        self.env[name] = var
        for watcher in self.watchers:
            watcher[name] = either(watcher.get(name) or self.absent(name), var)


def either(first: Var, second: Var) -> Var:
    """How a name stands that stands in one of two ways."""
    return Var(first.ways | second.ways, first.objects | second.objects)
