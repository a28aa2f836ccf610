"""Which names a function binds itself, anywhere in its body: Python decides that before it runs.

Decided from the tree alone. (The standard `symtable` takes any scope called `top` for a module,
and so every local of a function of that name for a global.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["Locals", "local_names", "parameters"]

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Locals:
    """The names a function binds, and those it declares to belong elsewhere."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()

    @property
    def own(self) -> frozenset[str]:
        """The names that are local to the function."""
        return frozenset(self.bound - self.declared_global - self.declared_nonlocal)


def local_names(arguments: ast.arguments, body: Iterable[ast.AST]) -> Locals:
    """The names of a function with these parameters and this body."""
    found = Locals()
    for parameter in parameters(arguments):
        found.bound.add(parameter.arg)
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        _note(node, found)
        waiting += _inside(node)
    return found


def parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    """All parameters, `*args` and `**kwargs` included."""
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (star for star in (arguments.vararg, arguments.kwarg) if star)


def _note(node: ast.AST, found: Locals) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            found.bound.add(name)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found.bound.add(name)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            found.bound.add(name)
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            found.bound.add(name)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            found.bound.update((alias.asname or alias.name).partition(".")[0] for alias in names)
        case ast.Global(names=declared):
            found.declared_global.update(declared)
        case ast.Nonlocal(names=declared):
            found.declared_nonlocal.update(declared)


def _inside(node: ast.AST) -> Iterable[ast.AST]:
    """The nodes below that belong to the same scope."""
    if isinstance(node, _FUNCTIONS):
        return node.decorator_list
    if isinstance(node, ast.Lambda):
        return ()
    if isinstance(node, _COMPREHENSIONS):
        parts = [part for loop in node.generators for part in (loop.iter, *loop.ifs)]
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        return (*parts, *results)
    return ast.iter_child_nodes(node)
