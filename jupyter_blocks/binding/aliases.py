"""Names that certainly share one object, as after `b = a` or, with arrays, `b = a[:3]`.

Blocks have copies of their own. Where one of such names is changed in place, each block that reads
the second name takes the first one and says the assignment again: then both share in every block.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from jupyter_blocks.binding.arraykinds import Kind, grouped, itself, kind_of, sliced, viewed
from jupyter_blocks.binding.arrayshapes import dimensions
from jupyter_blocks.binding.branches import (
    asked_names,
    augmented,
    bound_names,
    given_names,
    indexed_names,
)
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.scope import Origin, Provider, Scope, root
from jupyter_blocks.binding.shared import definition_part
from jupyter_blocks.binding.statements import Statement, asked_once, dotted_name
from jupyter_blocks.dataflow import Definition

__all__ = ["Aliases", "Sharing", "last_changes"]


@dataclass(frozen=True)
class Sharing:
    """A name that is, or is a view of, what another name stands for."""

    base: str
    root: Provider
    """Who bound the base."""
    is_same: bool
    """Whether both are one object."""
    part: CodePart
    """The assignment."""
    key: tuple[int, int]
    """Its cell and line."""


class Aliases:
    """The names that share an object, as far as the notebook has been walked."""

    def __init__(
        self, scope: Scope, module_of: Callable[[str], str], last_changes: Mapping[str, int]
    ) -> None:
        self.scope = scope
        self.module_of = module_of
        self.last_changes = last_changes
        self._kinds: dict[str, Kind] = {}
        self._shapes: dict[str, int] = {}
        self._growing: set[str] = set()
        """Dicts that make the elements they are asked for."""
        self.sliced: dict[str, str] = {}
        """Names that the last cell noted has bound to views whose ends only it knows, with the
        array: no other block can say the assignment again."""
        self._shared: dict[Provider, Sharing] = {}

    def of(self, provider: Provider) -> Sharing | None:
        """What the name of `provider` shares an object with, if that still stands for it."""
        shared = self._shared.get(provider)
        base = self.scope.get(shared.base) if shared else None
        return shared if shared and base and root(base) is shared.root else None

    def base(self, name: str) -> str:
        """The name through which changes of `name` are seen by all that share its object."""
        provider = self.scope.get(name)
        shared = self.of(provider) if provider else None
        return self.base(shared.base) if shared else name

    def same(self, name: str) -> list[str]:
        """The other names that now stand for the very object of `name`."""
        found = [name]
        for one in found:
            found += [other for other in self._neighbours(one) if other not in found]
        return found[1:]

    def _neighbours(self, name: str) -> Iterator[str]:
        provider = self.scope.get(name)
        shared = self.of(provider) if provider else None
        if shared and shared.is_same:
            yield shared.base
        for other, way in self._shared.items():
            is_live = self.of(other) and self.scope.get(other.name) is other
            if way.base == name and way.is_same and is_live:
                yield other.name

    def is_container(self, name: str) -> bool:
        """Whether `name` certainly stands for a list, dict or set."""
        return self._kinds.get(name) is Kind.CONTAINER

    def is_table(self, name: str) -> bool:
        """Whether `name` certainly stands for a table of pandas."""
        return self._kinds.get(name) is Kind.TABLE

    def is_iterator(self, name: str) -> bool:
        """Whether `name` certainly stands for an iterator, which is used up when it is read."""
        return self._kinds.get(name) is Kind.ITERATOR

    def is_estimator(self, name: str) -> bool:
        """Whether `name` certainly stands for a model as scikit-learn has them."""
        return self._kinds.get(name) is Kind.ESTIMATOR

    def handed_on(self, statements: Sequence[Statement]) -> list[str]:
        """Random generators that are asked, or given to a function, which will advance them.

        And dicts of the kind `defaultdict` that are asked for an element.
        """
        names = dict.fromkeys(
            name
            for statement in statements
            for name in (*given_names(statement), *asked_names(statement))
        )
        drawn = [name for name in names if self._kinds.get(name) in (Kind.GENERATOR, Kind.RANDOM)]
        asked = dict.fromkeys(name for item in statements for name in indexed_names(item))
        return [*drawn, *(name for name in asked if name in self._growing)]

    def is_number(self, name: str) -> bool:
        """Whether `name` certainly stands for a whole number, which nothing can change."""
        return self._kinds.get(name) is Kind.NUMBER

    def copies(self, name: str) -> bool:
        """Whether `name` certainly stands for an array or a table, which copy what they get."""
        return self._kinds.get(name) in (Kind.ARRAY, Kind.TABLE)

    def augmented(self, code: CellCode) -> frozenset[str]:
        """Arrays that share their data and that a cell changes by `x += y`, and binds no other way.

        Such a statement changes an array in place; it binds the name to what it stands for anyway.
        """
        names = augmented(code.statements)
        if not names:
            return frozenset()
        others = (item for item in code.statements if not isinstance(item.node, ast.AugAssign))
        bound = frozenset[str]().union(*map(bound_names, others))
        return frozenset(name for name in names - bound if self._is_shared_array(name))

    def _is_shared_array(self, name: str) -> bool:
        provider = self.scope.get(name)
        if self._kinds.get(name) is not Kind.ARRAY or provider is None:
            return False
        return self.of(provider) is not None or any(
            shared.base == name and self.of(other) is not None
            for other, shared in self._shared.items()
        )

    def release(self, names: Sequence[str], block: str) -> None:
        """Note that a cell binds `names` anew: what shared their objects goes on without them.

        What its own `block` made of them, it has.
        """
        for provider, shared in list(self._shared.items()):
            base = self.scope.get(shared.base)
            if shared.base not in names or base is None or self.of(provider) is None:
                continue
            if provider.is_of(block):
                continue
            if self.scope.get(provider.name) is provider and provider.name not in names:
                if shared.is_same:
                    self.scope.point(provider.name, base)
                elif base is not shared.root:
                    self.scope.outdate(provider, base)

    def note(self, block: str, code: CellCode, left: Sequence[Statement]) -> set[frozenset[str]]:
        """Take up the assignments of a cell; gives the pairs of names that share from now on."""
        found: dict[str, tuple[str, Statement, bool]] = {}
        self.sliced = {}
        for statement in left:
            names = bound_names(statement)
            if isinstance(statement.node, ast.AugAssign) and names <= self._kinds.keys():
                continue  # an array stays one
            assigned = self._assigned(statement.node, code.known_at_end)
            sliced_here = self._sliced(statement.node)
            self._learn(names, statement.node)
            found = {
                name: entry
                for name, entry in found.items()
                if name not in names and entry[0] not in names
            }
            self.sliced = {
                name: base
                for name, base in self.sliced.items()
                if name not in names and base not in names
            }
            self.sliced.update(sliced_here)
            for name, base, is_same in assigned:
                found[name] = (base, statement, is_same)
        return {
            frozenset((name, base))
            for name, (base, statement, is_same) in found.items()
            if self._add(block, code, name, base, statement, is_same=is_same)
        }

    def _assigned(
        self, node: ast.stmt, known: Mapping[str, Definition]
    ) -> list[tuple[str, str, bool]]:
        """Names that an assignment makes share an object: the new one, the other, one object?"""
        targets, value = _plain_targets(node)
        found = [(name, targets[0], True) for name in targets[1:]]
        if value is None or len(targets) != 1:
            return found
        if same := itself(value, self._kinds, known):
            found.append((targets[0], same, True))
        view = viewed(value, self._kinds, self._shapes) or grouped(value)
        if view and view != targets[0]:
            found.append((targets[0], view, False))
        return found

    def _sliced(self, node: ast.stmt) -> dict[str, str]:
        """Names that become views whose ends only the cell knows, with the array."""
        targets, value = _plain_targets(node)
        if value is None or viewed(value, self._kinds, self._shapes):
            return {}
        base = sliced(value, self._kinds, self._shapes)
        return {name: base for name in targets if base and name != base}

    def _learn(self, names: Iterable[str], node: ast.stmt) -> None:
        """Remember what a statement binds its names to, as far as its own text says it."""
        targets, value = _plain_targets(node)
        kind = shape = None
        if value is not None:
            kind = kind_of(value, self._kinds, self.module_of, self._shapes)
            shape = dimensions(value, self._shapes, self.module_of)
        for name in names:
            self._kinds.pop(name, None)
            self._growing.discard(name)
            self._shapes.pop(name, None)
        if isinstance(value, ast.Call) and dotted_name(value.func).endswith("defaultdict"):
            self._growing.update(targets)
        for name in targets:
            if kind:
                self._kinds[name] = kind
            if shape is not None:
                self._shapes[name] = shape

    def _add(
        self,
        block: str,
        code: CellCode,
        name: str,
        base: str,
        statement: Statement,
        *,
        is_same: bool,
    ) -> bool:
        provider, other = self.scope.get(name), self.scope.get(base)
        if name == base or provider is None or other is None or not provider.is_of(block):
            return False
        if not all(item.origin is Origin.DATA and not item.maybe for item in (provider, other)):
            return False
        if max(self.last_changes.get(item, 0) for item in (name, base)) > code.number:
            key = (code.number, statement.first)
            part = _assignment(code, statement, f"{name} = {base}" if is_same else "")
            self._shared[provider] = Sharing(base, root(other), is_same, part, key)
        return True


def _plain_targets(node: ast.stmt) -> tuple[list[str], ast.expr | None]:
    """The names and the value of `x = y = value`; nothing of any other statement."""
    if not isinstance(node, ast.Assign):
        return [], None
    targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return (targets, node.value) if len(targets) == len(node.targets) else ([], None)


def last_changes(codes: Sequence[CellCode]) -> dict[str, int]:
    """For each name the last cell that may change it, or what it may be a view of, in place."""
    found: dict[str, int] = {}
    for code in codes:
        names = (*code.flow.changes, *augmented(code.statements), *(code.settings.changes or ()))
        found.update(dict.fromkeys(names, code.number))
    for group in _groups(
        pair for code in codes for item in code.statements for pair in _related(item)
    ):
        found.update(dict.fromkeys(group, max(found.get(name, 0) for name in group)))
    return found


def _groups(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """The names that are connected by pairs."""
    groups: dict[str, set[str]] = {}
    for pair in pairs:
        small, large = sorted((groups.setdefault(name, {name}) for name in pair), key=len)
        if small is not large:
            large |= small
            groups.update(dict.fromkeys(small, large))
    return list({id(group): group for group in groups.values()}.values())


@asked_once
def _related(statement: Statement) -> list[tuple[str, str]]:
    """The names of `x = y`, `x = y[1:]`, `x = y.T.ravel()` and the like."""
    node = statement.node
    if not isinstance(node, ast.Assign):
        return []
    inner = node.value
    while isinstance(inner, ast.Attribute | ast.Subscript | ast.Call):
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    names += [inner.id] if isinstance(inner, ast.Name) else []
    return list(pairwise(names))


def _assignment(code: CellCode, statement: Statement, text: str) -> CodePart:
    """The assignment as a part of a file, in other words if there is a `text`."""
    part = definition_part(code, statement, comments=False)
    if not text:
        return part
    lines: list[str | None] = [None] * len(code.lines)
    lines[statement.first - 1] = text
    return CodePart(part.cell, tuple(lines))
