"""The walk over statements that Python may run in part, not at all, or more than once."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.dataflow.names import Env, Names
from jupyter_blocks.dataflow.objects import NOTHING
from jupyter_blocks.dataflow.record import CellText, Record, dotted_name
from jupyter_blocks.dataflow.statements import STATEMENTS, StatementWalker
from jupyter_blocks.dataflow.values import chain_value, value

__all__ = ["Walker"]

_SUPPRESSING = frozenset({"assertRaises", "raises", "suppress"})
"""Context managers that swallow an exception of their body."""

_NAME_ERRORS = frozenset({"NameError", "UnboundLocalError"})


@dataclass
class _Loop:
    """The states in which a loop was left by `break` or begun anew by `continue`."""

    breaks: list[Env] = field(default_factory=list)
    continues: list[Env] = field(default_factory=list)


class Walker(StatementWalker):
    """Walks all statements; what is bound on some ways only may be bound afterwards."""

    def __init__(self, names: Names, record: Record, text: CellText) -> None:
        super().__init__(names, record, text)
        self._loops_around: list[_Loop] = []

    def _joined(self, states: Iterable[Env]) -> Env:
        """Where these states meet; dead if none of them is alive."""
        met = Env()
        met.dead = True
        for state in states:
            met = self.names.join(met, state)
        return met

    def _branch(self, start: Env, body: list[ast.stmt]) -> Env:
        """The state after `body`, begun in (a copy of) `start`."""
        self.names.env = Env(start)
        self.block(body)
        return self.names.env

    # Conditions

    def _if(self, node: ast.If) -> None:
        self.visit(node.test)
        if isinstance(node.test, ast.Constant):
            self.block(node.body if node.test.value else node.orelse)
            return
        start = self.names.env
        self.names.env = self.names.join(
            self._branch(start, node.body), self._branch(start, node.orelse)
        )

    def _assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None:
            with self.perhaps():
                self.visit(node.msg)

    def _match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        things = value(self.names, node.subject)
        ends: list[Env] = []
        start = self.names.env
        for case in node.cases:
            self.names.env = Env(start)
            self._pattern(case.pattern, things)
            if case.guard is not None:
                self.visit(case.guard)
                start = self.names.join(start, self.names.env)
            ends.append(self._branch(self.names.env, case.body))
            if case.guard is None and _catches_all(case.pattern):
                break
        else:
            ends.append(start)
        self.names.env = self._joined(ends)

    def _pattern(self, pattern: ast.AST, things: frozenset[int]) -> None:
        """Bind what a pattern captures; it may be the subject or any part of it."""
        match pattern:
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self.names.bind(name, things | self.names.objects.fresh())
            case ast.MatchMapping(rest=str(name)):
                held = self.names.objects.parts(things)
                self.names.bind(name, self.names.objects.container(held))
            case ast.MatchValue(value=expression) | ast.MatchClass(cls=expression):
                self.visit(expression)
        whole = isinstance(pattern, ast.MatchAs | ast.MatchOr)
        parts = things if whole else self.names.objects.parts(things)
        for child in ast.iter_child_nodes(pattern):
            if isinstance(child, ast.pattern):
                self._pattern(child, parts)
            elif isinstance(pattern, ast.MatchMapping):
                self.visit(child)

    # Loops

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        if isinstance(node, ast.AsyncFor):
            self._note_await()
        self.visit(node.iter)
        elements = self.names.objects.parts(value(self.names, node.iter))
        start = self.names.env
        loop = _Loop()

        def turn(state: Env) -> Env:
            self.names.env = Env(state)
            self.store(node.target, elements)
            return self._turn(loop, node.body)

        end = self._repeat(start, turn(start), turn)
        exhausted = end if _has_elements(node.iter) else self.names.join(start, end)
        self._leave(loop, exhausted, node.orelse)

    def _while(self, node: ast.While) -> None:
        self.visit(node.test)
        start = self.names.env
        loop = _Loop()

        def turn(state: Env) -> Env:
            self.names.env = Env(state)
            end = self._turn(loop, node.body)
            if not end.dead:
                self.names.env = end
                self.visit(node.test)
            return self.names.env if not end.dead else end

        end = self._repeat(start, turn(start), turn)
        if isinstance(node.test, ast.Constant) and node.test.value:
            end.dead = True
            self._leave(loop, end, [])
        else:
            self._leave(loop, self.names.join(start, end), node.orelse)

    def _turn(self, loop: _Loop, body: list[ast.stmt]) -> Env:
        """The state after one turn of a loop, begun in the present state."""
        self._loops_around.append(loop)
        self.block(body)
        self._loops_around.pop()
        return self._joined((self.names.env, *loop.continues))

    def _repeat(self, start: Env, end: Env, turn: Any) -> Env:
        """`end`, or the state after one more turn if names may share objects in new ways by then.

        What a second turn reads, the first has read or bound already; but a name that the first
        turn left sharing an earlier value makes changes in the second turn changes of that value,
        and a function that it defined may be called in the second turn.
        """
        if end.dead or not any(
            self.names.objects.outside_name(thing) or thing in self.names.functions
            for name, var in end.items()
            for thing in var.objects - (start[name].objects if name in start else NOTHING)
        ):
            return end
        again: Env = turn(self.names.join(start, end))
        return self.names.join(end, again)

    def _leave(self, loop: _Loop, exhausted: Env, orelse: list[ast.stmt]) -> None:
        if orelse and not exhausted.dead:
            exhausted = self._branch(exhausted, orelse)
        self.names.env = self._joined((exhausted, *loop.breaks))

    def _break(self, node: ast.Break) -> None:
        self._jump(node, "break")

    def _continue(self, node: ast.Continue) -> None:
        self._jump(node, "continue")

    def _jump(self, node: ast.stmt, word: str) -> None:
        if not self._loops_around:
            raise SyntaxError(f"'{word}' outside loop", ("<cell>", node.lineno, None, None))
        loop = self._loops_around[-1]
        states = loop.breaks if word == "break" else loop.continues
        states.append(Env(self.names.env))
        self.names.env.dead = True

    # Exceptions

    def _try(self, node: ast.Try) -> None:
        anywhere = self._watched(node.body, forgiving=_catches_name_errors(node.handlers))
        if not self.names.env.dead:
            self.block(node.orelse)
        ends = [self.names.env]
        for handler in node.handlers:
            ends.append(self._handle(anywhere, handler))
            anywhere = self.names.join(anywhere, ends[-1])
        self.names.env = self._joined(ends)
        if self.names.env.dead and node.finalbody:
            self._branch(anywhere, node.finalbody)
            self.names.env.dead = True
        else:
            self.block(node.finalbody)

    def _watched(self, body: list[ast.stmt], *, forgiving: bool) -> Env:
        """Walk a body that an exception may stop; gives the states in which it may be stopped."""
        anywhere = Env(self.names.env)
        self.names.env = Env(self.names.env)
        self.names.watchers.append(anywhere)
        self.names.forgiving += forgiving
        self.block(body)
        self.names.forgiving -= forgiving
        self.names.watchers.pop()
        return anywhere

    def _handle(self, start: Env, handler: ast.ExceptHandler) -> Env:
        self.names.env = Env(start)
        if handler.type is not None:
            self.visit(handler.type)
        if handler.name:
            self.names.bind(handler.name, self.names.objects.fresh())
        self.block(handler.body)
        if handler.name and not self.names.env.dead:
            self.names.delete(handler.name)
        return self.names.env

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        if isinstance(node, ast.AsyncWith):
            self._note_await()
        for item in node.items:
            self.visit(item.context_expr)
            if isinstance(item.context_expr, ast.Name | ast.Attribute | ast.Subscript):
                self.names.mutate(chain_value(self.names, item.context_expr))
            if item.optional_vars is not None:
                things = value(self.names, item.context_expr) | self.names.objects.fresh()
                self.store(item.optional_vars, things)
        if any(_suppresses(item.context_expr) for item in node.items):
            anywhere = self._watched(node.body, forgiving=False)
            self.names.env = self.names.join(anywhere, self.names.env)
        else:
            self.block(node.body)


def _catches_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return _catches_all(pattern.patterns[-1])
    return isinstance(pattern, ast.MatchAs) and (
        pattern.pattern is None or _catches_all(pattern.pattern)
    )


def _has_elements(node: ast.expr) -> bool:
    """Whether a loop over `node` runs at least once for certain."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return any(not isinstance(element, ast.Starred) for element in elements)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))]):
            return count > 0
    return False


def _catches_name_errors(handlers: list[ast.ExceptHandler]) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id in _NAME_ERRORS
        for handler in handlers
        if handler.type is not None
        for part in ast.walk(handler.type)
    )


def _suppresses(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted_name(node.func).rpartition(".")[2] in _SUPPRESSING


STATEMENTS.update(
    {
        ast.If: Walker._if,
        ast.Assert: Walker._assert,
        ast.Match: Walker._match,
        ast.For: Walker._for,
        ast.AsyncFor: Walker._for,
        ast.While: Walker._while,
        ast.Break: Walker._break,
        ast.Continue: Walker._continue,
        ast.Try: Walker._try,
        ast.TryStar: Walker._try,
        ast.With: Walker._with,
        ast.AsyncWith: Walker._with,
    }
)
