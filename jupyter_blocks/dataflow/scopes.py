"""What reading, binding and changing a name means in a cell, a function body and a class body.

They differ in where an unbound name comes from, and in what is remembered about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from jupyter_blocks.dataflow.flow import METHOD_KINDS, Definition
from jupyter_blocks.dataflow.names import BEFORE, GONE, HERE, Env, FunctionFlow, Names, Var, either
from jupyter_blocks.dataflow.objects import NOTHING, Objects

__all__ = ["ClassNames", "FunctionNames", "ModuleNames", "Need"]


class Need(NamedTuple):
    """Why a name is needed from before: surely, perhaps (`maybe`), or by a later call (`later`)."""

    line: int
    kind: str
    moment: int
    """How many bindings the cell had made by then."""


_GIVEN_TO_CLASSES = {"__module__", "__qualname__"}
_STRENGTH = {"maybe": 0, "later": 1, "read": 2}
_WHERE_USED = 0
"""Line of a name that a function of another cell takes: that of the use of the function."""


class ModuleNames(Names):
    """The names of a cell: those it does not bind come from earlier cells."""

    def __init__(self, known: Mapping[str, Definition]) -> None:
        super().__init__(Objects())
        self.known = known
        self.special: dict[str, set[str]] = {}
        """Methods of the classes of the notebook, by what they do with their object."""
        for definition in known.values():
            self.note_methods(definition)
        self.needs: dict[str, Need] = {}
        self.changes: dict[str, None] = {}
        self.deep_changes: dict[str, None] = {}
        self.mutated: set[int] = set()
        self.bound: dict[str, int] = {}
        """Moment of the last binding of each name."""
        self.bind_counts: dict[str, int] = {}
        self.moment = 0
        self._ran: dict[int, tuple[Env, int, bool]] = {}
        """For each function, the state in which its names were looked up last."""

    def carry(self, definition: Definition) -> None:
        """Know what a function of an earlier cell reads and changes when it is called."""
        flow = FunctionFlow(
            free=dict.fromkeys(sorted(definition.free), _WHERE_USED),
            changes=definition.changes,
            parameters=definition.parameters,
            positional=definition.parameters,
            rest=_rest(definition),
            changed_parameters=definition.changed_parameters,
            gives_back=definition.gives_back,
            gives_parts=definition.gives_parts,
            gives_held=definition.gives_held,
            keeps=definition.keeps,
        )
        self.env[definition.name] = self.absent(definition.name)
        self.functions.update(dict.fromkeys(self.env[definition.name].objects, flow))

    def absent(self, name: str) -> Var:
        """It stands as the cells before left it."""
        return Var(BEFORE, self.objects.outside(name))

    def read(self, name: str, line: int, *, later: bool = False, called: bool = False) -> None:
        """Note that earlier cells are needed, unless `name` is certainly bound here."""
        if self.layers and self.layered(name) is not None:
            return
        var = self.env.get(name)
        if var is None or var.ways & BEFORE:
            maybe = self.forgiving or (var is not None and var.ways & HERE)
            self._need(name, line, "maybe" if maybe else "later" if later else "read")
        if var is not None and self.functions:
            self._run(var.objects, line, later=later or not called)

    def absorb(self, flow: FunctionFlow, *, later: bool = False) -> None:
        """Do so, and bind what the function declares `global`, perhaps."""
        super().absorb(flow, later=later)
        for name in flow.global_binds:
            before = self.env.get(name) or self.absent(name)
            self.bind_counts[name] = self.bind_counts.get(name, 0) + 1
            if not before.ways & HERE:
                self.bind(name, before.objects | self.objects.fresh())
                self.env[name] = either(before, self.env[name])

    def define(self, name: str, flow: FunctionFlow) -> None:
        """Bind `name`; what the function reads is needed when it is used."""
        things = self.objects.fresh()
        self.functions.update(dict.fromkeys(things, flow))
        self.bind(name, things)

    def mutate(self, things: Iterable[int]) -> None:
        """Note the names from before that stand for `things`."""
        for thing in sorted(things, key=abs):
            name = self.objects.outside_name(thing)
            # A function that is handed on gets called, not changed.
            if name is not None and name not in self.known:
                self.changes.setdefault(name)
                if thing < 0:
                    self.deep_changes.setdefault(name)
            self.mutated.add(abs(thing))

    def note_methods(self, definition: Definition) -> None:
        """Know the methods of a class."""
        for kind, methods in definition.special_methods.items():
            self.special.setdefault(kind, set()).update(methods)

    def is_method(self, kind: str, name: str) -> bool:
        """One of the classes of earlier cells, or of this one."""
        return name in self.special.get(kind, ())

    def is_class(self, name: str) -> bool:
        """One of earlier cells."""
        known = self.known.get(name)
        return known is not None and known.kind == "class"

    def set_inside(self, things: Iterable[int]) -> None:
        """Note that, which changes functions and classes as well."""
        self.mutate(things)
        outside = map(self.objects.outside_name, sorted(things, key=abs))
        self.changes.update(dict.fromkeys(name for name in outside if name is not None))

    def called_outside(self, name: str) -> list[FunctionFlow | None]:
        """One of the functions known from earlier cells."""
        known = self.known.get(name)
        if known is None or known.kind == "class" or not known.is_final:
            return [None]
        flow = FunctionFlow(
            parameters=known.parameters,
            positional=known.parameters,
            rest=_rest(known),
            changed_parameters=known.changed_parameters,
            gives_back=known.gives_back,
            gives_parts=known.gives_parts,
            gives_held=known.gives_held,
            keeps=known.keeps,
        )
        return [flow]

    def bind(self, name: str, things: frozenset[int]) -> None:
        """Bind `name`, and remember when."""
        self.moment += 1
        self.bound[name] = self.moment
        self.bind_counts[name] = self.bind_counts.get(name, 0) + 1
        super().bind(name, things)

    def delete(self, name: str) -> None:
        """Delete `name`: from now on functions see something else."""
        self.moment += 1
        super().delete(name)

    def needed(self) -> tuple[dict[str, int], dict[str, int]]:
        """Lines of the names that are needed, and of those that may be, in order of first use."""
        surely: dict[str, int] = {}
        perhaps: dict[str, int] = {}
        for name, need in self.needs.items():
            bound_later = need.kind == "later" and self.bound.get(name, 0) > need.moment
            chosen = perhaps if bound_later or need.kind == "maybe" else surely
            chosen[name] = need.line
        return surely, perhaps

    def _need(self, name: str, line: int, kind: str) -> None:
        known = self.needs.get(name)
        if known is None or _STRENGTH[kind] > _STRENGTH[known.kind]:
            self.needs[name] = Need(line, kind, self.moment)

    def _run(self, things: frozenset[int], line: int, *, later: bool) -> None:
        for thing in things:
            flow = self.functions.get(thing)
            # Once per state: functions call each other, in circles, too.
            state = (self.env, self.moment, later)
            known = self._ran.get(thing)
            if flow is None or (known and known[0] is self.env and known[1:] == state[1:]):
                continue
            self._ran[thing] = state
            if _WHERE_USED in flow.free.values():
                flow = replace(flow, free=dict.fromkeys(flow.free, line))
            layers, self.layers = self.layers, []
            self.absorb(flow, later=later)
            self.layers = layers


class FunctionNames(Names):
    """The names of a function body: its own are those it binds anywhere, the others are free."""

    def __init__(self, own: frozenset[str], outer: Names, global_names: frozenset[str]) -> None:
        super().__init__(Objects())
        self.own = own
        self.outer = outer
        self.global_names = global_names
        self.free: dict[str, int] = {}
        self.changes: set[str] = set()
        self.global_binds: dict[str, None] = {}
        self.parameters: dict[int, str] = {}
        """Objects that the parameters stood for when the function was called."""
        self.changed_parameters: set[str] = set()
        self.returned: set[str] = set()
        """Parameters that a `return` gives, and an empty name for all else."""
        self.returned_parts: set[str] = set()
        """Parameters that a `return` gives in part."""
        self.returned_held: set[str] = set()
        """Parameters that a `return` gives, or gives something that holds them."""

    def give(self, things: frozenset[int]) -> None:
        """Note the value of a `return`."""
        found = {self.parameters.get(thing, "") for thing in things}
        self.returned.add(found.pop() if len(found) == 1 else "")
        reached = self.objects.reachable(things, parts=True)
        for thing in reached:
            if name := self.parameters.get(abs(thing)):
                (self.returned_held if thing > 0 else self.returned_parts).add(name)

    def add_parameters(self, names: Iterable[str]) -> None:
        """Bind each parameter to an object of its own."""
        for name in names:
            things = self.objects.fresh()
            self.parameters.update(dict.fromkeys(things, name))
            self.bind(name, things)

    def absent(self, name: str) -> Var:
        """Own names are not bound yet; the others are as they are outside."""
        if name in self.own:
            return Var(GONE, NOTHING)
        return Var(BEFORE, self.objects.outside(name))

    def read(self, name: str, line: int, **_when: bool) -> None:
        """Note a free name; own names are nobody else's business."""
        # `__class__` is given to methods, for `super()`.
        if name not in self.own and name != "__class__" and self.layered(name) is None:
            self.free.setdefault(name, line)

    def define(self, name: str, flow: FunctionFlow) -> None:
        """Bind `name`; what an inner function needs, the outer one needs."""
        self.absorb(flow)
        things = self.objects.container(self.captured(flow.free))
        self.functions.update(dict.fromkeys(things, flow))
        self.bind(name, things)

    def absorb(self, flow: FunctionFlow, *, later: bool = False) -> None:
        """Do so; names the inner function declares `global` are declared here, too."""
        super().absorb(flow, later=later)
        self.global_binds.update(dict.fromkeys(flow.global_binds))

    def mutate(self, things: Iterable[int]) -> None:
        """Note the free names and the parameters that stand for `things`."""
        for thing in things:
            name = self.objects.outside_name(thing)
            if name is not None:
                self.changes.add(name)
            elif abs(thing) in self.parameters:
                self.changed_parameters.add(self.parameters[abs(thing)])

    def is_method(self, kind: str, name: str) -> bool:
        """What the scope outside knows."""
        return self.outer.is_method(kind, name)

    def is_class(self, name: str) -> bool:
        """What the scope outside knows."""
        return name not in self.own and self.outer.is_class(name)

    def captured(self, free: Iterable[str]) -> frozenset[int]:
        """The objects of own names: an inner function sees them as long as it lives."""
        own = (self.value(name) for name in free if name in self.own)
        return frozenset[int]().union(*own)

    def kept(self) -> Iterator[tuple[str, str]]:
        """Pairs of parameters of which the first was given the second, or a part of it."""
        for thing, name in self.parameters.items():
            for held in self.objects.reachable(self.objects.held(thing), parts=True):
                other = self.parameters.get(abs(held), name)
                if other != name:
                    yield name, other

    def called_outside(self, name: str) -> list[FunctionFlow | None]:
        """A function that the scope outside knows."""
        return self.outer.called(name)

    def bind(self, name: str, things: frozenset[int]) -> None:
        """Bind an own name; note one that is declared `global`."""
        if name in self.global_names:
            self.global_binds.setdefault(name)
        elif name in self.own:
            super().bind(name, things)


class ClassNames(Names):
    """The names of a class body; its methods do not see them."""

    def __init__(self, outer: Names) -> None:
        super().__init__(outer.objects)
        self.outer = outer
        self.free: dict[str, int] = {}
        """Names the body itself takes from outside."""
        self.later: dict[str, int] = {}
        """Names its methods take from outside."""
        self.changes: set[str] = set()
        self.special: dict[str, set[str]] = {kind: set() for kind in METHOD_KINDS}
        """Methods by what they do with the object they are called on (`Definition`)."""
        self.global_binds: dict[str, None] = {}

    def is_method(self, kind: str, name: str) -> bool:
        """What the scope outside knows."""
        return self.outer.is_method(kind, name)

    def is_class(self, name: str) -> bool:
        """What the scope outside knows."""
        return self.outer.is_class(name)

    def absent(self, name: str) -> Var:
        """It stands as it does outside."""
        return Var(BEFORE, self.outer.value(name))

    def read(self, name: str, line: int, *, later: bool = False, called: bool = False) -> None:
        """Note a name of outside, now; comprehensions do not see the names of the class."""
        if self.layers:
            if self.layered(name) is not None:
                return
        elif (var := self.env.get(name)) is not None and not var.ways & BEFORE:
            return
        if name not in _GIVEN_TO_CLASSES:
            self.free.setdefault(name, line)
            self.outer.read(name, line, later=later, called=called)

    def define(self, name: str, flow: FunctionFlow) -> None:
        """Bind a method; what it needs is needed when the class is used."""
        for free, line in flow.free.items():
            self.later.setdefault(free, line)
        self.changes |= flow.changes
        own = flow.positional[0] if flow.positional else ""
        done = {
            "changing": flow.changed_parameters,
            "giving": flow.gives_parts,
            "wrapping": flow.gives_held,
            "keeping": {holder for holder, _held in flow.keeps},
        }
        for kind, parameters in done.items():
            if own in parameters:
                self.special[kind].add(name)
        self.global_binds.update(dict.fromkeys(flow.global_binds))
        self.bind(name, self.objects.fresh())

    def make(self, flow: FunctionFlow) -> None:
        """Note a lambda, which does not see the names of the class."""
        for free, line in flow.free.items():
            self.later.setdefault(free, line)
        self.outer.make(flow)

    def mutate(self, things: Iterable[int]) -> None:
        """Note it outside: objects are the same there."""
        self.outer.mutate(things)

    def set_inside(self, things: Iterable[int]) -> None:
        """Note it outside, too."""
        self.outer.set_inside(things)

    def called(self, name: str) -> list[FunctionFlow | None]:
        """What the scope outside knows."""
        return self.outer.called(name)

    def called_outside(self, name: str) -> list[FunctionFlow | None]:
        """What the scope outside knows."""
        return self.outer.called(name)

    def outside_class(self) -> Names:
        """The scope around the class."""
        return self.outer


def _rest(definition: Definition) -> str:
    """Name of `*args`, if the function changes what is in it."""
    return next(iter(definition.changed_parameters.difference(definition.parameters)), "")
