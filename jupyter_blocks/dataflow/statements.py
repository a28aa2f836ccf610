"""The walk over statements: assignments, definitions, imports, deletions.

Branches, loops and `try` are in `branches`, which adds to this class.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_blocks.dataflow.definitions import (
    assigned_definition,
    class_definition,
    function_definition,
    is_assigned_definition,
)
from jupyter_blocks.dataflow.expressions import ExpressionWalker, function_flow
from jupyter_blocks.dataflow.flow import ImportedName
from jupyter_blocks.dataflow.locals import local_names, parameters
from jupyter_blocks.dataflow.mutation import PURE_DECORATORS
from jupyter_blocks.dataflow.names import FunctionFlow, Names
from jupyter_blocks.dataflow.objects import NOTHING
from jupyter_blocks.dataflow.record import CellText, Record, dotted_name
from jupyter_blocks.dataflow.scopes import ClassNames, FunctionNames, ModuleNames
from jupyter_blocks.dataflow.values import bound_value, chain_value, value

__all__ = ["StatementWalker"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_LITERALS = (ast.Constant, ast.UnaryOp, ast.List, ast.Tuple, ast.Dict, ast.Set)


class StatementWalker(ExpressionWalker):
    """Walks statements of one scope in the order in which they run."""

    def __init__(self, names: Names, record: Record, text: CellText) -> None:
        super().__init__(names, record)
        self.text = text
        self.depth = 0
        """How many statements hold the present one."""

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Walk the statements of a body, up to the first after which nothing can follow."""
        self.depth += 1
        for statement in body:
            if self.names.env.dead:
                break
            self.statement(statement)
        self.depth -= 1

    def statement(self, node: ast.stmt) -> None:
        """Walk one statement."""
        handler = STATEMENTS.get(node.__class__)
        if handler is not None:
            handler(self, node)
        else:
            self.visit_children(node)

    @property
    def at_top_level(self) -> bool:
        """Whether the present statement stands directly in the cell."""
        return self.depth == 1 and isinstance(self.names, ModuleNames)

    def inner(self, names: Names) -> StatementWalker:
        """A walker of the same kind for a scope inside this one."""
        return type(self)(names, self.record, self.text)

    # Targets

    def assign(self, target: ast.expr, source: ast.expr) -> None:
        """Bind or change `target` with the value of `source`, which has been walked."""
        pairs = _pairs(target, source)
        if pairs is None:
            self.store(target, bound_value(self.names, source))
            return
        values = [bound_value(self.names, part) for _, part in pairs]
        for (element, _), things in zip(pairs, values, strict=True):
            self.store(element, things)

    def store(self, target: ast.expr, things: frozenset[int]) -> None:
        """Bind or change `target`, whose new value is one of `things`."""
        if isinstance(target, ast.Name):
            self.names.bind(target.id, things)
        elif isinstance(target, ast.Starred):
            self.store(target.value, self.names.objects.container(things))
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                parts = self.names.objects.parts(things)
                self.store(element, parts | self.names.objects.fresh())
        else:
            self._store_inside(target, things)

    def _store_inside(self, target: ast.expr, things: frozenset[int]) -> None:
        """Change the object that `target` is an attribute or an element of."""
        if not isinstance(target, ast.Attribute | ast.Subscript):
            return
        self.visit(target.value)
        if isinstance(target, ast.Attribute):
            self.note_dotted(target)
        else:
            self.note_dotted(target.value)
            if not isinstance(target.slice, ast.Constant):
                self.visit(target.slice)
        changed = chain_value(self.names, target.value)
        self.names.set_inside(changed)
        self.names.objects.hold(changed, things)

    # Simple statements

    def _expression(self, node: ast.Expr) -> None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if not is_text:
            self.visit_effect(node.value)

    def _assignment(self, node: ast.Assign) -> None:
        first = node.targets[0]
        if self.at_top_level and is_assigned_definition(node) and isinstance(first, ast.Name):
            self._assigned_definition(node, first.id)
            return
        if isinstance(first, ast.Name) and first.id == "_":
            self.visit_effect(node.value)
        else:
            self.visit(node.value)
        if len(node.targets) == 1:
            self.assign(first, node.value)
        else:
            things = bound_value(self.names, node.value)
            for target in node.targets:
                self.store(target, things)
        for target in node.targets:
            self._note_constant(target, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.assign(node.target, node.value)
            self._note_constant(node.target, node.value)
        if not self.in_function:
            self.visit(node.annotation)

    def _note_constant(self, target: ast.expr, node: ast.expr) -> None:
        if self.at_top_level and isinstance(target, ast.Name) and isinstance(node, _LITERALS):
            try:
                literal = ast.literal_eval(node)
            except (ValueError, TypeError):
                return
            self.record.constants[target.id] = (literal, target.lineno)

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        if not isinstance(target, ast.Name):
            self.visit(node.value)
            self._store_inside(target, value(self.names, node.value))
            return
        self.names.read(target.id, target.lineno)
        self.visit(node.value)
        things = self.names.value(target.id)
        # `x += [1]` changes a list in place: whoever shares it sees it, `x` itself is bound anyway.
        own = self.names.absent(target.id).objects
        self.names.mutate(things - own)
        self.names.objects.hold(things, self.names.objects.parts(value(self.names, node.value)))
        self.names.bind(target.id, things)

    def _delete(self, node: ast.Delete) -> None:
        for target in _flat(node.targets):
            if isinstance(target, ast.Name):
                self.names.read(target.id, target.lineno)
                self.names.delete(target.id)
            else:
                self._store_inside(target, NOTHING)

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self.record.globals_declared.setdefault(name, node.lineno)

    def _return(self, node: ast.Return) -> None:
        if not self.in_function:
            raise SyntaxError("'return' outside function", ("<cell>", node.lineno, None, None))
        self.visit_children(node)
        if isinstance(self.names, FunctionNames):
            self.names.give(value(self.names, node.value) if node.value else NOTHING)
        self.names.env.dead = True

    def _raise(self, node: ast.Raise) -> None:
        self.visit_children(node)
        self.names.env.dead = True

    # Imports

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            renamed = f" as {alias.asname}" if alias.asname else ""
            self._imported(node, name, alias.name, f"import {alias.name}{renamed}")

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            renamed = f" as {alias.asname}" if alias.asname else ""
            alone = f"from {module} import {alias.name}{renamed}"
            self._imported(node, alias.asname or alias.name, module, alone)

    def _imported(
        self, node: ast.Import | ast.ImportFrom, name: str, module: str, alone: str
    ) -> None:
        if name != "*":
            self.names.bind(name, self.names.objects.fresh())
        if isinstance(self.names, ModuleNames):
            text = self.text.segment(node)
            found = ImportedName(name, text, node.lineno, module, self.at_top_level, alone)
            self.record.imports.setdefault((alone, node.lineno), found)

    # Definitions

    def _function(self, node: Function) -> None:
        layer = dict.fromkeys(_type_parameters(node), NOTHING)
        header = self.header((*node.decorator_list, *_signature(node)), layer)
        flow = self._body_flow(node, layer)
        if self.at_top_level:
            definition = function_definition(node, header, flow)
            self.record.definitions[node.name] = (definition, flow)
        self.names.define(node.name, flow)
        if any(not _keeps(decorator) for decorator in node.decorator_list):
            self.names.make(flow)

    def _assigned_definition(self, node: ast.Assign, name: str) -> None:
        function = node.value
        if isinstance(function, ast.Lambda):
            header = self.header((*function.args.defaults, *function.args.kw_defaults), {})
            flow = self.lambda_flow(function)
        else:
            header, flow = self.header((function,), {}), FunctionFlow(later=True)
        self.record.definitions[name] = (assigned_definition(node, name, header, flow), flow)
        self.names.define(name, flow)

    def header(
        self, expressions: Sequence[ast.expr | None], layer: dict[str, frozenset[int]]
    ) -> FunctionFlow:
        """What evaluating the expressions of a definition's header reads; noted here, too."""
        names = FunctionNames(frozenset(), self.names.outside_class(), frozenset())
        names.layers.append(layer)
        self.inner(names).visit_all(expressions)
        flow = FunctionFlow(free=names.free, changes=frozenset(names.changes))
        self.names.absorb(flow)
        return flow

    def _body_flow(self, node: Function, layer: dict[str, frozenset[int]]) -> FunctionFlow:
        found = local_names(node.args, node.body)
        names = FunctionNames(
            found.own, self.names.outside_class(), frozenset(found.declared_global)
        )
        names.layers.append(layer)
        names.add_parameters(parameter.arg for parameter in parameters(node.args))
        self.inner(names).block(node.body)
        return function_flow(names, node.args)

    def _class(self, node: ast.ClassDef) -> None:
        layer = dict.fromkeys(_type_parameters(node), NOTHING)
        keywords = (keyword.value for keyword in node.keywords)
        header = self.header((*node.decorator_list, *node.bases, *keywords), layer)
        names = ClassNames(self.names.outside_class())
        for parameter in layer:
            names.bind(parameter, NOTHING)
        self.inner(names).block(node.body)
        flow = FunctionFlow(
            free={name: line for name, line in names.later.items() if name not in layer},
            changes=frozenset(names.changes),
            global_binds=tuple(names.global_binds),
            later=True,
        )
        if self.at_top_level:
            definition = class_definition(node, header, names.free, flow, names.special)
            self.record.definitions[node.name] = (definition, flow)
            if isinstance(self.names, ModuleNames):
                self.names.note_methods(definition)
        self.names.define(node.name, flow)

    def _type_alias(self, node: Any) -> None:
        # `type X = ...` (Python 3.12) evaluates its value when somebody asks for it.
        names = FunctionNames(frozenset(), self.names.outside_class(), frozenset())
        names.layers.append(dict.fromkeys(_type_parameters(node), NOTHING))
        self.inner(names).visit(node.value)
        self.names.make(FunctionFlow(free=names.free))
        self.names.bind(node.name.id, NOTHING)


def _pairs(target: ast.expr, source: ast.expr) -> list[tuple[ast.expr, ast.expr]] | None:
    """Targets and sources of `a, b = c, d`, one by one; none if they do not match so plainly."""
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(source, ast.Tuple | ast.List):
        return None
    starred = any(isinstance(node, ast.Starred) for node in (*target.elts, *source.elts))
    if starred or len(target.elts) != len(source.elts):
        return None
    return list(zip(target.elts, source.elts, strict=True))


def _flat(targets: Sequence[ast.expr]) -> list[ast.expr]:
    found: list[ast.expr] = []
    for target in targets:
        inner = isinstance(target, ast.Tuple | ast.List)
        found += _flat(target.elts) if inner else [target]  # type: ignore[attr-defined]  # tested
    return found


def _signature(node: Function) -> list[ast.expr | None]:
    """Defaults and annotations, which are evaluated when the function is defined."""
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    stars = tuple(star for star in (arguments.vararg, arguments.kwarg) if star)
    annotations = [item.annotation for item in (*every, *stars)]
    return [*arguments.defaults, *arguments.kw_defaults, *annotations, node.returns]


def _type_parameters(node: Any) -> list[str]:
    return [parameter.name for parameter in getattr(node, "type_params", ())]


def _keeps(decorator: ast.expr) -> bool:
    """Whether the decorator is known not to call what it decorates."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted_name(function).rpartition(".")[2] in PURE_DECORATORS


STATEMENTS: dict[type[ast.AST], Callable[[Any, Any], None]] = {
    ast.Expr: StatementWalker._expression,
    ast.Assign: StatementWalker._assignment,
    ast.AnnAssign: StatementWalker._annotated,
    ast.AugAssign: StatementWalker._augmented,
    ast.Delete: StatementWalker._delete,
    ast.Global: StatementWalker._global,
    ast.Return: StatementWalker._return,
    ast.Raise: StatementWalker._raise,
    ast.Import: StatementWalker._import,
    ast.ImportFrom: StatementWalker._import_from,
    ast.FunctionDef: StatementWalker._function,
    ast.AsyncFunctionDef: StatementWalker._function,
    ast.ClassDef: StatementWalker._class,
}
if hasattr(ast, "TypeAlias"):
    STATEMENTS[ast.TypeAlias] = StatementWalker._type_alias
