"""Where options may be set but at the top level of a cell: in branches, in loops, in functions.

A loop is no condition. What context managers put back at their end is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.optioncalls import may_set, sets_hash_seed
from jupyter_blocks.binding.shared import Helper, Shared
from jupyter_blocks.binding.statements import Statement, asked_once, classify, dotted_name
from jupyter_blocks.dataflow.locals import local_names
from jupyter_blocks.wordsets import word_set

__all__ = ["Site", "sites_in_calls", "sites_inside"]

_PUT_BACK = word_set(
    """catch_warnings context errstate localcontext option_context patch plotting_context
    printoptions rc_context set_grad_enabled axes_style color_palette config_context redirect_stdout
    redirect_stderr"""
)
"""Context managers after which options are as they were before."""
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Site:
    """A simple statement that may set an option."""

    code: CellCode
    node: ast.stmt
    is_certain: bool
    """Whether it runs with what is around it."""
    local: bool = False
    """Whether it reads names of a function."""
    function: str = ""
    """The function it is in, if any."""
    whole: tuple[ast.stmt, ...] = ()
    """All that the function does, where it is called directly and may do nothing else."""

    @property
    def statement(self) -> Statement:
        """It, taken out of what is around it."""
        return classify(ast.Module([self.node], []), self.code.lines)[0]


def sites_inside(code: CellCode, statement: Statement) -> Iterator[Site]:
    """The simple statements inside a branch, a loop, a `with` or a `try`."""
    if isinstance(statement.node, _COMPOUND):
        for inner, is_certain in _inside(statement):
            yield Site(code, inner, is_certain, local=_binds(statement, inner))


def sites_in_calls(shared: Shared, statement: Statement) -> Iterator[Site]:
    """The simple statements in the functions of the shared module that a statement calls."""
    calls = statement.by_type.get(ast.Call, ())
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    for helper in shared.reach(names).values() if names else ():
        yield from _in_function(helper, statement)


def _in_function(helper: Helper, caller: Statement) -> Iterator[Site]:
    definition = helper.statement
    if definition is None:
        return
    call = caller.node.value if isinstance(caller.node, ast.Expr) else None
    is_direct = isinstance(call, ast.Call) and dotted_name(call.func) == helper.name
    for inner, is_certain, is_local in _body(definition):
        yield Site(
            helper.code,
            inner,
            is_certain,
            local=is_local,
            function=helper.name,
            whole=_whole(definition) if is_direct else (),
        )


@asked_once
def _body(definition: Statement) -> list[tuple[ast.stmt, bool, bool]]:
    """The simple statements of a function that may set an option: certainly? with its locals?"""
    node = definition.node
    found: list[tuple[ast.stmt, bool, bool]] = []
    if not isinstance(node, _Function):
        return found
    own = local_names(node.args, node.body).own
    for inner, is_certain in _walked(node.body, is_certain=True):
        names = {item.id for item in ast.walk(inner) if isinstance(item, ast.Name)}
        if may_set(inner) and not sets_hash_seed(inner):
            found.append((inner, is_certain, not names.isdisjoint(own)))
    return found


@asked_once
def _whole(definition: Statement) -> tuple[ast.stmt, ...]:
    """What a function does, if that could be nothing but to set options; else nothing."""
    body = definition.node.body if isinstance(definition.node, _Function) else []
    inner = [item for item, _ in _walked(body, is_certain=True) if not _is_silent(item)]
    has_context = not definition.by_type.keys().isdisjoint((ast.With, ast.AsyncWith))
    return () if has_context or not all(map(may_set, inner)) else tuple(inner)


def _is_silent(node: ast.stmt) -> bool:
    """A docstring, `pass`, an import."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Pass | ast.Import | ast.ImportFrom)


@asked_once
def _inside(statement: Statement) -> list[tuple[ast.stmt, bool]]:
    """Those below a compound statement that may set an option, and whether they run with it."""
    found = _walked([statement.node], is_certain=True)
    return [(item, sure) for item, sure in found if may_set(item) and not sets_hash_seed(item)]


def _walked(nodes: Sequence[ast.stmt], *, is_certain: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """The simple statements among and below `nodes`, but in functions and classes."""
    for node in nodes:
        match node:
            case ast.If(body=body, orelse=orelse):
                yield from _walked([*body, *orelse], is_certain=False)
            case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
                yield from _walked([*body, *node.orelse], is_certain=is_certain)
            case ast.With(body=body, items=items) | ast.AsyncWith(body=body, items=items):
                if not any(_puts_back(item.context_expr) for item in items):
                    yield from _walked(body, is_certain=is_certain)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                yield from _walked([*body, *orelse, *final], is_certain=is_certain)
                for handler in handlers:
                    yield from _walked(handler.body, is_certain=False)
            case ast.Match(cases=cases):
                for case in cases:
                    yield from _walked(case.body, is_certain=False)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _:
                yield node, is_certain


def _puts_back(context: ast.expr) -> bool:
    function = context.func if isinstance(context, ast.Call) else context
    return dotted_name(function).rpartition(".")[2] in _PUT_BACK


def _binds(statement: Statement, inner: ast.stmt) -> bool:
    """Whether a statement inside reads what the statement around it binds, as a loop does."""
    names = statement.by_type.get(ast.Name, ())
    bound = {item.id for item in names if not isinstance(item.ctx, ast.Load)}
    return any(isinstance(item, ast.Name) and item.id in bound for item in ast.walk(inner))
