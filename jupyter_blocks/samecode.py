"""Whether Python files hold the same code and the same comments, however they are laid out.

For two files, and for a merge: does the merged file hold what either side has changed?
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

__all__ = ["Piece", "same_code", "unmerged"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_OWN_COMMENTS = ("parameter", "settings")
"""Comments that export writes."""


@dataclass(frozen=True)
class Piece:
    """A statement or a comment of a file."""

    line: int
    """Line of the file, from 1."""
    key: str
    """What it means; equal for equal code."""
    kind: str = "code"
    """`code`, `import`, or `generated`: whatever export makes of the cells."""


def same_code(one: str, other: str) -> bool:
    """Whether two files mean the same and say the same in their comments.

    Their imports may stand in another order. False where one of them is not Python.
    """
    try:
        return _keys(one, ()) == _keys(other, ())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def unmerged(
    base: str, edited: str, now: str, merged: str, elsewhere: str, wrappers: Collection[str]
) -> list[Piece]:
    """The pieces of `edited` or `merged` that show that the merge is not one.

    `base` became `edited` on one side and `now` on the other. New definitions and their comments
    may be in the file `elsewhere`. `wrappers` are functions whose signature and return belong to
    export: they count only where somebody changed them.
    """
    was, ours, theirs, here = (_keys(text, wrappers) for text in (base, edited, now, merged))
    there = _keys(elsewhere, ())
    found = []
    pieces = [piece for text in (edited, base, now) for piece in _pieces(text, wrappers)]
    for piece in dict.fromkeys(pieces):
        key = piece.key
        added, removed = ours[key] > was[key], ours[key] < was[key]
        has = here[key] + (there[key] if added else 0)
        expected = _merged(was[key], ours[key], theirs[key])
        if piece.kind == "import":
            is_wrong = added and not has
        elif piece.kind == "generated":
            is_wrong = (added and not has) or (removed and bool(has))
        else:
            is_gone = removed or theirs[key] < was[key]
            is_wrong = has < expected or (is_gone and has > expected)
        found += [piece] if is_wrong else []
    found += [
        piece
        for piece in _pieces(merged, wrappers)
        if piece.kind == "code" and not ours[piece.key] and not theirs[piece.key]
    ]
    return list({piece.key: piece for piece in found}.values())


def _merged(was: int, ours: int, theirs: int) -> int:
    """How many of something there are if both sides changed their number."""
    if ours == was:
        return theirs
    return ours if theirs == was else min(ours, theirs)


def _keys(text: str, wrappers: Collection[str]) -> Counter[str]:
    return Counter(piece.key for piece in _pieces(text, wrappers))


def _pieces(text: str, wrappers: Collection[str]) -> Iterator[Piece]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node)
        elif isinstance(node, _Function) and node.name in wrappers:
            yield from _parts(node)
        else:
            yield Piece(node.lineno, ast.dump(node))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        said = token.string.lstrip("#").strip()
        if token.type == tokenize.COMMENT and said not in _OWN_COMMENTS:
            yield Piece(token.start[0], f"# {said}")


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Piece]:
    start = "import"
    if isinstance(node, ast.ImportFrom):
        start = f"from {'.' * node.level}{node.module or ''} import"
    for alias in node.names:
        yield Piece(node.lineno, f"{start} {ast.unparse(alias)}", "import")


def _parts(node: _Function) -> Iterator[Piece]:
    """The signature and the statements of a function that export has written."""
    yield Piece(node.lineno, _signature(node), "generated")
    for item in node.body:
        is_ending = isinstance(item, ast.Return | ast.Pass)
        yield Piece(item.lineno, ast.dump(item), "generated" if is_ending else "code")


def _signature(node: _Function) -> str:
    """What a function is called with, in any order."""
    given = node.args
    required = [*given.posonlyargs, *given.args][: len(given.args) - len(given.defaults)]
    names = sorted(map(ast.dump, required))
    others = given.args[len(given.args) - len(given.defaults) :]
    rest = ast.arguments(
        posonlyargs=[],
        args=others,
        vararg=given.vararg,
        kwonlyargs=given.kwonlyargs,
        kw_defaults=given.kw_defaults,
        kwarg=given.kwarg,
        defaults=given.defaults,
    )
    decorators = [ast.dump(item) for item in node.decorator_list]
    returns = ast.dump(node.returns) if node.returns else ""
    return f"{type(node).__name__} {node.name} {names} {ast.dump(rest)} {decorators} {returns}"
