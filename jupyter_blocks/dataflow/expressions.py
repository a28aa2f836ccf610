"""The walk over expressions, in the order in which Python evaluates them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jupyter_blocks.dataflow.calls import note_changes
from jupyter_blocks.dataflow.locals import local_names, parameters
from jupyter_blocks.dataflow.names import Env, FunctionFlow, Names
from jupyter_blocks.dataflow.record import Record, dotted_name
from jupyter_blocks.dataflow.scopes import FunctionNames
from jupyter_blocks.dataflow.values import bound_value, comprehension, value
from jupyter_blocks.wordsets import word_set

__all__ = ["ExpressionWalker", "function_flow"]

_CODE_FUNCTIONS = word_set("eval exec globals locals query read_sql sql sqldf vars")
"""Functions whose string arguments, or keys, are code."""

_TEXT_FUNCTIONS = word_set(
    """HTML Image Markdown annotate critical debug display error exception figtext info input
    legend log print set_title set_xlabel set_ylabel suptitle text title warn warning xlabel
    ylabel"""
)
"""Functions whose string arguments are for people."""


class ExpressionWalker:
    """Walks expressions of one scope and notes in `names` and `record` what they do."""

    def __init__(self, names: Names, record: Record) -> None:
        self.names = names
        self.record = record
        self._for_people = 0
        """Above 0 inside the arguments of a function that shows text."""

    def inner(self, names: Names) -> ExpressionWalker:
        """A walker of the same kind for a scope inside this one."""
        return type(self)(names, self.record)

    @property
    def in_function(self) -> bool:
        """Whether the code runs only when a function is called."""
        return isinstance(self.names, FunctionNames)

    def visit(self, node: ast.AST) -> None:
        """Walk one expression."""
        handler = _HANDLERS.get(node.__class__)
        if handler is not None:
            handler(self, node)
        else:
            self.visit_children(node)

    def visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        """Walk several expressions in this order, leaving out what is not there."""
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_children(self, node: ast.AST) -> None:
        """Walk what is below `node`, in the order of its fields."""
        for name in node._fields:
            child = getattr(node, name, None)
            if isinstance(child, list):
                self.visit_all(item for item in child if isinstance(item, ast.AST))
            elif isinstance(child, ast.AST):
                self.visit(child)

    def visit_effect(self, node: ast.expr) -> None:
        """Walk an expression whose value is thrown away or only shown."""
        if isinstance(node, ast.Call):
            self.call(node, statement=True)
        elif isinstance(node, ast.Await):
            self._note_await()
            self.visit_effect(node.value)
        elif isinstance(node, ast.IfExp):
            self.visit(node.test)
            self.in_turn((node.body, node.orelse), self.visit_effect)
        elif isinstance(node, ast.BoolOp):
            self.visit_effect(node.values[0])
            self.in_turn(node.values[1:], self.visit_effect)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            self._loops(node.generators, (node.elt,), self.visit_effect)
        elif isinstance(node, ast.Tuple):
            for element in node.elts:
                self.visit_effect(element)
        else:
            self.visit(node)

    def in_turn(self, nodes: Sequence[ast.expr], visit: Callable[[ast.expr], None]) -> None:
        """Walk expressions of which Python may evaluate the first ones only, or just one."""
        for node in nodes:
            with self.perhaps():
                visit(node)

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """What is bound inside the `with` may have been bound, or not, after it."""
        if not self.record.may_bind_in_expressions:
            yield
            return
        before = Env(self.names.env)
        yield
        self.names.env = self.names.join(before, self.names.env)

    def call(self, node: ast.Call, *, statement: bool = False) -> None:
        """Walk a call, and note what it may change."""
        function = node.func
        name = ""
        if isinstance(function, ast.Name):
            name = function.id
            self.names.read(name, function.lineno, called=True)
            if not self.in_function:
                self.record.calls.setdefault(name)
        else:
            self.visit(function)
        if isinstance(function, ast.Attribute):
            name = function.attr
            self.note_dotted(function)
        self._arguments(node, name)
        note_changes(self.names, self.record, node, statement=statement)

    def note_dotted(self, node: ast.expr) -> None:
        """Note `a.b` as called or assigned to."""
        dotted = dotted_name(node)
        if "." in dotted:
            self.record.attribute_calls.setdefault((dotted, node.lineno))

    def _arguments(self, node: ast.Call, function: str) -> None:
        is_code = function in _CODE_FUNCTIONS
        for_people = function in _TEXT_FUNCTIONS
        self._for_people += for_people
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if is_code and isinstance(argument, ast.Constant):
                self._code(argument)
            else:
                self.visit(argument)
        self._for_people -= for_people

    def _code(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.record.string(node.value, node.lineno, is_code=True)

    def _name(self, node: ast.Name) -> None:
        self.names.read(node.id, node.lineno)

    def _constant(self, node: ast.Constant) -> None:
        if node.value.__class__ is str and not self._for_people:
            self.record.string(node.value, node.lineno)

    def _joined_string(self, node: ast.JoinedStr) -> None:
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        if not self._for_people:
            self.record.string(" ".join(map(str, parts)), node.lineno)
        self.visit_all(part for part in node.values if not isinstance(part, ast.Constant))

    def _subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if not isinstance(node.slice, ast.Constant):
            self.visit(node.slice)
        elif isinstance(node.value, ast.Call) and _is_code_function(node.value.func):
            self._code(node.slice)

    def _dict(self, node: ast.Dict) -> None:
        for key, item in zip(node.keys, node.values, strict=True):
            if key is not None and not isinstance(key, ast.Constant):
                self.visit(key)
            self.visit(item)

    def _binary(self, node: ast.BinOp) -> None:
        # Long sums lean to the left, one level per term: deeper than Python can recurse.
        rights: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            rights.append(left.right)
            left = left.left
        self.visit(left)
        self.visit_all(reversed(rights))

    def _boolean(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self.in_turn(node.values[1:], self.visit)

    def _conditional(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self.in_turn((node.body, node.orelse), self.visit)

    def _walrus(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.names.bind(node.target.id, bound_value(self.names, node.value))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._loops(node.generators, (node.elt,), self.visit)

    def _dict_comprehension(self, node: ast.DictComp) -> None:
        self._loops(node.generators, (node.key, node.value), self.visit)

    def _loops(
        self,
        loops: list[ast.comprehension],
        results: tuple[ast.expr, ...],
        visit: Callable[[ast.expr], None],
    ) -> None:
        if any(loop.is_async for loop in loops):
            self._note_await()
        with self.perhaps(), comprehension(self.names, loops, self.visit):
            for result in results:
                visit(result)

    def _lambda(self, node: ast.Lambda) -> None:
        self.visit_all((*node.args.defaults, *node.args.kw_defaults))
        self.names.make(self.lambda_flow(node))

    def lambda_flow(self, node: ast.Lambda) -> FunctionFlow:
        """What a call of the lambda does."""
        found = local_names(node.args, (node.body,))
        names = FunctionNames(found.own, self.names.outside_class(), frozenset())
        names.add_parameters(parameter.arg for parameter in parameters(node.args))
        walker = self.inner(names)
        walker.visit(node.body)
        names.give(value(names, node.body))
        flow = self.record.lambdas[node] = function_flow(names, node.args)
        return flow

    def _await(self, node: ast.Await) -> None:
        self._note_await()
        self.visit(node.value)

    def _note_await(self) -> None:
        self.record.has_await = self.record.has_await or not self.in_function

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        if not self.in_function:
            raise SyntaxError("'yield' outside function", ("<cell>", node.lineno, None, None))
        self.visit_children(node)


def function_flow(names: FunctionNames, arguments: ast.arguments) -> FunctionFlow:
    """What a call of the function does whose body has been walked with `names`."""
    changes = names.changes | _changed_defaults(names.changed_parameters, arguments)
    positional = tuple(item.arg for item in (*arguments.posonlyargs, *arguments.args))
    gives_back = names.returned if names.env.dead and len(names.returned) == 1 else ()
    return FunctionFlow(
        free=names.free,
        changes=frozenset(changes),
        parameters=(*positional, *(item.arg for item in arguments.kwonlyargs)),
        positional=positional,
        rest=arguments.vararg.arg if arguments.vararg else "",
        changed_parameters=frozenset(names.changed_parameters),
        gives_back=next(iter(gives_back), ""),
        gives_parts=frozenset(names.returned_parts),
        gives_held=frozenset(names.returned_held),
        keeps=frozenset(names.kept()),
        global_binds=tuple(names.global_binds),
    )


def _changed_defaults(changed: set[str], arguments: ast.arguments) -> set[str]:
    """Names that are defaults of parameters which the function changes."""
    if not changed:
        return set()
    positional = (*arguments.posonlyargs, *arguments.args)
    with_default = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {
        default.id
        for parameter, default in pairs
        if parameter.arg in changed and isinstance(default, ast.Name)
    }


def _is_code_function(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in _CODE_FUNCTIONS


def _nothing(walker: ExpressionWalker, node: ast.AST) -> None:
    """Leave out `Load` and the like."""


_HANDLERS: dict[type[ast.AST], Callable[[ExpressionWalker, Any], None]] = {
    ast.Load: _nothing,
    ast.Name: ExpressionWalker._name,
    ast.Constant: ExpressionWalker._constant,
    ast.Attribute: lambda walker, node: walker.visit(node.value),
    ast.Call: ExpressionWalker.call,
    ast.JoinedStr: ExpressionWalker._joined_string,
    ast.Subscript: ExpressionWalker._subscript,
    ast.Dict: ExpressionWalker._dict,
    ast.List: lambda walker, node: walker.visit_all(node.elts),
    ast.Tuple: lambda walker, node: walker.visit_all(node.elts),
    ast.BinOp: ExpressionWalker._binary,
    ast.UnaryOp: lambda walker, node: walker.visit(node.operand),
    ast.Compare: lambda walker, node: walker.visit_all((node.left, *node.comparators)),
    ast.BoolOp: ExpressionWalker._boolean,
    ast.IfExp: ExpressionWalker._conditional,
    ast.NamedExpr: ExpressionWalker._walrus,
    ast.ListComp: ExpressionWalker._comprehension,
    ast.SetComp: ExpressionWalker._comprehension,
    ast.GeneratorExp: ExpressionWalker._comprehension,
    ast.DictComp: ExpressionWalker._dict_comprehension,
    ast.Lambda: ExpressionWalker._lambda,
    ast.Await: ExpressionWalker._await,
    ast.Yield: ExpressionWalker._yield,
    ast.YieldFrom: ExpressionWalker._yield,
}
