"""Which objects the value of an expression may share with names.

Assumes of an unknown function that its result is new; knows the functions and methods that hand on
what they were given, or parts of it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jupyter_blocks.dataflow.mutation import (
    ARGUMENT_GIVERS,
    IMMUTABLE_ATTRIBUTES,
    ITERATORS,
    KEEPERS,
    LAZY_ITERATORS,
    copies,
    drawn_on,
    gives_itself,
    gives_part,
)
from jupyter_blocks.dataflow.names import Names
from jupyter_blocks.dataflow.objects import NOTHING
from jupyter_blocks.dataflow.record import dotted_name
from jupyter_blocks.wordsets import word_set

__all__ = [
    "arguments_by_name",
    "bound_value",
    "chain_value",
    "comprehension",
    "fill_layer",
    "given",
    "value",
]

_IMMUTABLE = (ast.Constant, ast.JoinedStr, ast.Compare)
_LIVE_VIEWS = frozenset(("items", "keys", "values"))
_SCALAR_FUNCTIONS = word_set(
    "bool chr float format hash id int isinstance len ord range repr round str"
)


def value(names: Names, node: ast.expr) -> frozenset[int]:
    """The objects that the value of `node` may be, or be a part of; none if it is new."""
    finder = _FINDERS.get(node.__class__)
    return finder(names, node) if finder else NOTHING


def bound_value(names: Names, node: ast.expr) -> frozenset[int]:
    """The objects that a name is bound to by `name = node`."""
    found = value(names, node)
    if read := _read_later(names, node):
        return found | names.objects.live(read)
    if isinstance(node, _IMMUTABLE) or any(thing > 0 for thing in found):
        return found
    if isinstance(node, ast.Call) and dotted_name(node.func) in _SCALAR_FUNCTIONS:
        return NOTHING
    # A part is an object, too: another name may be bound to just this part.
    return found | names.objects.fresh()


def _read_later(names: Names, node: ast.expr) -> frozenset[int]:
    """The containers that a name reads whenever it is used, after `keys = d.keys()`.

    Where the expression is used at once, as in a loop, its elements are all that matters.
    """
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[], keywords=[]):
            return chain_value(names, owner) if method in _LIVE_VIEWS else NOTHING
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            return _one_of(names, *arguments) if name in LAZY_ITERATORS else NOTHING
        case ast.GeneratorExp(generators=[first, *_]):
            return value(names, first.iter)
    return NOTHING


def chain_value(names: Names, node: ast.expr) -> frozenset[int]:
    """Like `value` for a place that is written to: `a.b['c']` is a part of `a` whatever it is."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return names.objects.parts(chain_value(names, node.value))
    return value(names, node)


def given(names: Names, arguments: Iterable[ast.expr]) -> frozenset[int]:
    """The objects a function can reach through `arguments`, one level into containers."""
    found = frozenset[int]().union(*(value(names, argument) for argument in arguments))
    return found | names.objects.parts(found)


@contextmanager
def comprehension(
    names: Names,
    loops: Sequence[ast.comprehension],
    visit: Callable[[ast.expr], None] | None = None,
) -> Iterator[None]:
    """Inside the `with`, the variables of the loops stand for the elements they take.

    `visit` is called with each expression of the loops, at the point where Python evaluates it.
    """
    layer: dict[str, frozenset[int]] = {}
    for number, loop in enumerate(loops):
        if visit:
            visit(loop.iter)
        elements = names.objects.parts(value(names, loop.iter))
        if number == 0:
            names.layers.append(layer)
        fill_layer(names, layer, loop.target, elements)
        if visit:
            for condition in loop.ifs:
                visit(condition)
    try:
        yield
    finally:
        names.layers.pop()


def arguments_by_name(call: ast.Call, positional: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """The arguments of a call with the parameters they become, up to the first `*items`."""
    for name, argument in zip(positional, call.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        yield name, argument
    yield from ((keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg)


def fill_layer(
    names: Names, layer: dict[str, frozenset[int]], target: ast.expr, things: frozenset[int]
) -> None:
    """Let the names in `target` stand for `things`, or for their parts where it is a tuple."""
    if isinstance(target, ast.Name):
        layer[target.id] = things
    elif isinstance(target, ast.Starred):
        fill_layer(names, layer, target.value, things)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            fill_layer(names, layer, element, names.objects.parts(things))


def _attribute(names: Names, node: ast.Attribute) -> frozenset[int]:
    return NOTHING if node.attr in IMMUTABLE_ATTRIBUTES else chain_value(names, node)


def _subscript(names: Names, node: ast.Subscript) -> frozenset[int]:
    if copies(node.slice):
        return NOTHING
    return names.objects.parts(value(names, node.value))


def _call(names: Names, node: ast.Call) -> frozenset[int]:
    function = node.func
    if isinstance(function, ast.Attribute):
        return _method_call(names, function, node)
    if not isinstance(function, ast.Name):
        return NOTHING
    if function.id in ARGUMENT_GIVERS:
        return _views(names, node.args[:1])
    if function.id in ITERATORS:
        keywords = (keyword.value for keyword in node.keywords)
        return names.objects.container(_elements(names, node.args) | _one_of(names, *keywords))
    if function.id in KEEPERS:
        every = (*node.args, *(keyword.value for keyword in node.keywords))
        return names.objects.container(_one_of(names, *every))
    if function.id in _ELEMENT_FUNCTIONS:
        return _elements(names, node.args)
    return _given_back(names, node, function.id) | _drawn_from(names, node, function.id)


def _given_back(names: Names, node: ast.Call, function: str) -> frozenset[int]:
    """The arguments that a function of the notebook gives, as they are or in part.

    A class that is called keeps what it is given, in one way or another.
    """
    found = NOTHING
    for flow in names.called(function):
        if (flow is None and names.is_class(function)) or (flow is not None and flow.later):
            every = (*node.args, *(keyword.value for keyword in node.keywords))
            found |= names.objects.container(_one_of(names, *every))
        elif flow is not None and (flow.gives_back or flow.gives_parts or flow.gives_held):
            for name, argument in arguments_by_name(node, flow.positional):
                if name == flow.gives_back:
                    return value(names, argument)
                things = value(names, argument)
                if name in flow.gives_parts:
                    parts = names.objects.parts(things)
                    found |= parts | names.objects.container(parts)
                if name in flow.gives_held:
                    found |= names.objects.parts(things) | names.objects.container(things)
    return found


_COPIES = frozenset(("copy", "union"))
_FIGURE_MAKERS = frozenset(("subplot_mosaic", "subplots"))
_GENERATOR_ARGUMENTS = frozenset(("generator", "random_state", "rng", "seed"))
_ARRAY_MODULES = frozenset(("jnp", "np", "numpy", "torch"))
_ARRAY_FUNCTIONS = word_set("diagonal ravel reshape split squeeze swapaxes transpose")
"""Functions of these modules that are methods of other things, too."""
_ELEMENT_FUNCTIONS = frozenset({"asarray", "getattr", "max", "min", "next", "vars"})


def _method_call(names: Names, method: ast.Attribute, call: ast.Call) -> frozenset[int]:
    arguments = call.args
    if method.attr == "copy" and dotted_name(method.value) == "copy":
        return names.objects.container(_elements(names, arguments[:1]))
    if method.attr in _FIGURE_MAKERS or drawn_on(method):
        return _drawn(names, method)
    if method.attr in _COPIES:
        return names.objects.copy(_one_of(names, *(arguments[:1] or [method.value])))
    if gives_itself(method.attr):
        return chain_value(names, method.value)
    is_numpy = dotted_name(method.value) in _ARRAY_MODULES and method.attr in _ARRAY_FUNCTIONS
    if is_numpy or method.attr in ARGUMENT_GIVERS or _may_not_copy(method, call):
        return _views(names, arguments[:1])
    if method.attr in KEEPERS:
        every = (*arguments, *(keyword.value for keyword in call.keywords))
        return names.objects.container(_one_of(names, *every))
    if names.is_method("giving", method.attr) or names.is_method("wrapping", method.attr):
        return _given_by_method(names, method)
    if gives_part(method.attr):
        return names.objects.parts(_one_of(names, method.value))
    if method.attr in ITERATORS and isinstance(method.value, ast.Name | ast.Attribute):
        return names.objects.container(_elements(names, arguments))
    return _drawn_from(names, call, method.attr)


def _drawn_from(names: Names, call: ast.Call, function: str) -> frozenset[int]:
    """A model that keeps the generator it is given: `KMeans(2, random_state=rng)`."""
    if not function[:1].isupper():
        return NOTHING
    given = (item.value for item in call.keywords if item.arg in _GENERATOR_ARGUMENTS)
    held = _one_of(names, *given)
    return names.objects.container(held) if held else NOTHING


def _drawn(names: Names, method: ast.Attribute) -> frozenset[int]:
    """What belongs to a figure: `fig, ax = plt.subplots()`, `ax = fig.add_subplot()`."""
    made = names.objects.fresh() if method.attr in _FIGURE_MAKERS else NOTHING
    return made | (names.objects.parts(value(names, method.value)) if drawn_on(method) else NOTHING)


def _given_by_method(names: Names, method: ast.Attribute) -> frozenset[int]:
    """The object of a method of the notebook, or parts of it, or what holds it."""
    own = chain_value(names, method.value)
    parts = names.objects.parts(own)
    held = own if names.is_method("wrapping", method.attr) else parts
    return parts | names.objects.container(held)


def _may_not_copy(method: ast.Attribute, call: ast.Call) -> bool:
    """`np.array(x, copy=False)`."""
    return method.attr == "array" and any(item.arg == "copy" for item in call.keywords)


def _views(names: Names, arguments: Iterable[ast.expr]) -> frozenset[int]:
    """Other views of the data of an array; what a list holds is copied."""
    return frozenset(-abs(thing) for thing in _one_of(names, *arguments))


def _elements(names: Names, arguments: Iterable[ast.expr]) -> frozenset[int]:
    found = frozenset[int]().union(*(value(names, argument) for argument in arguments))
    return names.objects.parts(found)


def _display(names: Names, node: ast.List | ast.Tuple | ast.Set) -> frozenset[int]:
    held = frozenset[int]().union(*(value(names, element) for element in node.elts))
    return names.objects.container(held)


def _dict(names: Names, node: ast.Dict) -> frozenset[int]:
    held = frozenset[int]().union(*(value(names, element) for element in node.values))
    return names.objects.container(held)


def _comprehension(
    names: Names, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> frozenset[int]:
    with comprehension(names, node.generators):
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        held = value(names, element)
    return names.objects.container(held)


def _lambda(names: Names, node: ast.Lambda) -> frozenset[int]:
    free = (item.id for item in ast.walk(node) if isinstance(item, ast.Name))
    defaults = (*node.args.defaults, *(item for item in node.args.kw_defaults if item is not None))
    return names.objects.container(names.captured(free) | _one_of(names, *defaults))


def _operation(names: Names, node: ast.BinOp) -> frozenset[int]:
    """`a + b`, `a * 2` and `a | b` of containers hold what these hold."""
    if not isinstance(node.op, ast.Add | ast.Mult | ast.BitOr):
        return NOTHING
    # Long sums lean to the left, one level per term: deeper than Python can recurse.
    operands: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        operands.append(left.right)
        left = left.left
    return names.objects.copy(_one_of(names, left, *operands))


def _one_of(names: Names, *nodes: ast.expr) -> frozenset[int]:
    return frozenset[int]().union(*(value(names, node) for node in nodes))


_FINDERS: dict[type[ast.AST], Callable[[Names, Any], frozenset[int]]] = {
    ast.Name: lambda names, node: names.value(node.id),
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _operation,
    ast.Call: _call,
    ast.Starred: lambda names, node: value(names, node.value),
    ast.Await: lambda names, node: value(names, node.value),
    ast.NamedExpr: lambda names, node: names.value(node.target.id),
    ast.IfExp: lambda names, node: _one_of(names, node.body, node.orelse),
    ast.BoolOp: lambda names, node: _one_of(names, *node.values),
    ast.List: _display,
    ast.Tuple: _display,
    ast.Set: _display,
    ast.Dict: _dict,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
}
