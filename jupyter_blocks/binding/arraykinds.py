"""Which names certainly are numpy arrays, and which expressions certainly are views of one.

A slice, a row or a field of an array shares its data; a slice of a list or of a table does not.
Only what the code itself says is taken as certain.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from jupyter_blocks.binding.arrayshapes import dimensions
from jupyter_blocks.dataflow import Definition
from jupyter_blocks.dataflow.mutation import LAZY_ITERATORS
from jupyter_blocks.dataflow.values import arguments_by_name
from jupyter_blocks.wordsets import word_set

__all__ = ["Kind", "grouped", "itself", "kind_of", "sliced", "viewed"]


class Kind(StrEnum):
    """What a name certainly stands for."""

    ARRAY = "array"
    GENERATOR = "generator"
    """A random generator of numpy, whose methods give arrays."""
    RANDOM = "random"
    """A random generator of Python, whose methods give numbers and lists."""
    NUMBER = "number"
    """A whole number."""
    CONTAINER = "container"
    """A list, a dict or a set, which holds the very objects it is given."""
    TABLE = "table"
    """A table of pandas, or a file of tables: it copies what it is given."""
    ITERATOR = "iterator"
    """What is used up when it is read."""
    ESTIMATOR = "estimator"
    """A model as scikit-learn has them: what `fit` gives is the model itself."""


_NO_SHAPES: Mapping[str, int] = {}
_NO_FUNCTIONS: Mapping[str, Definition] = {}
_NO_KINDS: Mapping[str, Kind] = {}
_GENERATORS = frozenset(("Generator", "RandomState", "default_rng"))
_ESTIMATORS = frozenset(("catboost", "imblearn", "lightgbm", "sklearn", "xgboost"))
"""Packages of such models."""
_CONTAINERS = frozenset(("OrderedDict", "defaultdict", "deque", "dict", "list", "set"))
_TABLE_PACKAGES = frozenset(("geopandas", "h5py", "pandas"))
_TABLES = frozenset(("DataFrame", "File", "GeoDataFrame", "HDFStore", "Series", "concat", "merge"))
_TABLE_METHODS = word_set(
    """assign astype copy drop drop_duplicates dropna fillna head join merge query rename
    reset_index sample set_index sort_index sort_values tail"""
)
_GROUPING = frozenset(("expanding", "groupby", "resample", "rolling"))
_GIVE_THEMSELVES = frozenset(("fit", "partial_fit", "set_params"))
_VIEW_METHODS = frozenset(("diagonal", "squeeze", "swapaxes", "transpose", "view"))
_MAY_COPY = frozenset(("ravel", "reshape"))
"""Methods that give a view where the memory is in order, and a copy else."""
_VIEW_FUNCTIONS = _VIEW_METHODS - {"view"} | {"asanyarray", "asarray", "atleast_2d"}
"""Functions of numpy that give a view of their first argument, where that is an array."""
_VIEW_ATTRIBUTES = frozenset(("T", "flat", "imag", "real"))
_COPIES = frozenset(
    ("astype", "clip", "copy", "cumsum", "dot", "flatten", "repeat", "round", "take")
)


def kind_of(
    node: ast.expr,
    kinds: Mapping[str, Kind],
    module_of: Callable[[str], str],
    shapes: Mapping[str, int] = _NO_SHAPES,
) -> Kind | None:
    """What the value of an expression certainly is, if the `kinds` of names are these.

    `shapes` are the numbers of dimensions of names, as far as they are known.
    """
    match node:
        case ast.Name(id=name):
            return kinds.get(name)
        case ast.Constant(value=int()):
            return Kind.NUMBER
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return Kind.CONTAINER
        case ast.GeneratorExp():
            return Kind.ITERATOR
        case ast.Call(func=ast.Attribute(attr=method, value=owner)):
            is_lazy = method in LAZY_ITERATORS and _root_module(owner, module_of) == "itertools"
            return Kind.ITERATOR if is_lazy else _call(method, owner, kinds, module_of)
        case ast.Call(func=ast.Name(id=name)):
            return _plain_call(name, module_of(name))
        case ast.BinOp(left=left, right=right):
            found = {
                kind_of(left, kinds, module_of, shapes),
                kind_of(right, kinds, module_of, shapes),
            }
            if found == {Kind.NUMBER}:
                is_whole = isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv)
                return Kind.NUMBER if is_whole else None
            return Kind.ARRAY if Kind.ARRAY in found else None
    return Kind.ARRAY if sliced(node, kinds, shapes) else None


def sliced(
    node: ast.expr, kinds: Mapping[str, Kind], shapes: Mapping[str, int] = _NO_SHAPES
) -> str:
    """The array of which `node` is a view, be its ends numbers or variables; empty if none."""
    if isinstance(node, ast.Subscript) and (
        _has_slices(node.slice) or _is_row(node, shapes, kinds)
    ):
        return _array(node.value, kinds, shapes)
    return viewed(node, kinds, shapes)


def viewed(
    node: ast.expr, kinds: Mapping[str, Kind], shapes: Mapping[str, int] = _NO_SHAPES
) -> str:
    """The array of which an expression is a view for certain; empty if it is none."""
    match node:
        case ast.Subscript(value=inner, slice=index) if (
            _is_slice(index) or _is_field(index) or _is_row(node, shapes)
        ):
            return _array(inner, kinds, shapes)
        case ast.Attribute(value=inner, attr=name) if name in _VIEW_ATTRIBUTES:
            return _array(inner, kinds, shapes)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _VIEW_METHODS and (
            found := _array(inner, kinds, shapes)
        ):
            return found
        case ast.Call(func=ast.Attribute(attr=name), args=[first, *rest]) if (
            name in _VIEW_FUNCTIONS
            and (name in _VIEW_METHODS or not (rest or node.keywords))  # a dtype makes a copy
        ):
            return _array(first, kinds, shapes)
    return ""


def _plain_call(name: str, module: str) -> Kind | None:
    """What a function that is called by a name of its own gives."""
    if name in LAZY_ITERATORS and module.partition(".")[0] in ("", "itertools"):
        return Kind.ITERATOR
    if name in _CONTAINERS and module in ("", "collections"):
        return Kind.CONTAINER
    if module == "random.Random" or (module == "random" and name == "Random"):
        return Kind.RANDOM
    if module == f"numpy.random.{name}" and name in _GENERATORS:
        return Kind.GENERATOR
    if module == f"pandas.{name}" and _makes_table(name):
        return Kind.TABLE
    return Kind.ESTIMATOR if _is_estimator(name, module) else None


def _makes_table(function: str) -> bool:
    return function.startswith("read_") or function in _TABLES


def grouped(node: ast.expr) -> str:
    """The table of which an expression is a view by groups or windows; empty if it is none.

    `df.groupby("a")` reads the table whenever it is asked for something; one column of it, as in
    `df.groupby("a")["b"]`, is picked at once.
    """
    match node:
        case ast.Call(func=ast.Attribute(attr=method, value=ast.Name(id=name))) if (
            method in _GROUPING
            and all(_is_literal(item) for item in node.args)
            and all(_is_literal(item.value) for item in node.keywords)
        ):
            return name
    return ""


def _is_literal(node: ast.expr) -> bool:
    return all(isinstance(item, ast.Constant | ast.List | ast.Load) for item in ast.walk(node))


def itself(
    node: ast.expr, kinds: Mapping[str, Kind], known: Mapping[str, Definition] = _NO_FUNCTIONS
) -> str:
    """The name whose very object an expression gives; empty if it is none for certain.

    `known` are the functions of the notebook.
    """
    match node:
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id=function)) if (
            function in known and known[function].gives_back and known[function].is_final
        ):
            arguments = dict(arguments_by_name(node, known[function].parameters))
            given = arguments.get(known[function].gives_back)
            return given.id if isinstance(given, ast.Name) else ""
        case ast.Call(func=ast.Attribute(attr=method, value=ast.Name(id=name))) if (
            method in _GIVE_THEMSELVES and kinds.get(name) is Kind.ESTIMATOR
        ):
            return name
    return ""


def _call(
    method: str, owner: ast.expr, kinds: Mapping[str, Kind], module_of: Callable[[str], str]
) -> Kind | None:
    if _root_module(owner, module_of) == "numpy":
        return Kind.GENERATOR if method in _GENERATORS else Kind.ARRAY
    root = _root_module(owner, module_of)
    if root == "random":
        return Kind.RANDOM if method in ("Random", "SystemRandom") else None
    if root in _TABLE_PACKAGES and _makes_table(method):
        return Kind.TABLE
    if _is_estimator(method, root):
        return Kind.ESTIMATOR
    kind = kind_of(owner, kinds, module_of)
    if kind is Kind.GENERATOR:
        return Kind.ARRAY
    if kind is Kind.ESTIMATOR:
        return kind if method in _GIVE_THEMSELVES else None
    if kind is Kind.TABLE:
        return kind if method in _TABLE_METHODS else None
    is_array = kind is Kind.ARRAY and method in (_COPIES | _VIEW_METHODS | _MAY_COPY)
    return Kind.ARRAY if is_array else None


def _is_estimator(name: str, module: str) -> bool:
    """Whether a call of `name`, imported from `module`, makes a model."""
    is_made = name[:1].isupper() or name == "make_pipeline"
    return is_made and module.partition(".")[0] in _ESTIMATORS


def _root_module(node: ast.expr, module_of: Callable[[str], str]) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return module_of(node.id).partition(".")[0] if isinstance(node, ast.Name) else ""


def _array(node: ast.expr, kinds: Mapping[str, Kind], shapes: Mapping[str, int]) -> str:
    if isinstance(node, ast.Name):
        return node.id if kinds.get(node.id) is Kind.ARRAY else ""
    return viewed(node, kinds, shapes)


def _is_field(index: ast.expr) -> bool:
    """`"age"`: a column of a structured array."""
    return isinstance(index, ast.Constant) and isinstance(index.value, str)


def _is_row(
    node: ast.Subscript, shapes: Mapping[str, int], kinds: Mapping[str, Kind] = _NO_KINDS
) -> bool:
    """`[0]` or, where `i` is a number, `[i]`, with fewer numbers than there are dimensions."""
    index = node.slice
    parts: Sequence[ast.expr] = index.elts if isinstance(index, ast.Tuple) else [index]
    owner = dimensions(node.value, shapes, _no_module)
    return (
        owner is not None
        and len(parts) < owner
        and all(_is_number(part) or _is_counted(part, kinds) for part in parts)
    )


def _is_counted(part: ast.expr, kinds: Mapping[str, Kind]) -> bool:
    return isinstance(part, ast.Name) and kinds.get(part.id) is Kind.NUMBER


def _no_module(_name: str) -> str:
    """What is indexed is a name, or a part of one: no function of a module."""
    return ""


def _is_slice(index: ast.expr) -> bool:
    """`1:3`, `:, 0`, `..., 2`: numpy gives a view for these."""
    parts: Sequence[ast.expr] = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(isinstance(part, ast.Slice) for part in parts) and all(map(_is_plain, parts))


def _has_slices(index: ast.expr) -> bool:
    """`:n`, `1:n, 0`: the ends of a slice are numbers whatever they are called."""
    parts: Sequence[ast.expr] = index.elts if isinstance(index, ast.Tuple) else [index]
    others = [part for part in parts if not isinstance(part, ast.Slice)]
    return len(others) < len(parts) and all(map(_is_plain, others))


def _is_plain(part: ast.expr) -> bool:
    if isinstance(part, ast.Slice):
        ends = (part.lower, part.upper, part.step)
        return all(end is None or _is_number(end) for end in ends)
    return _is_number(part) or (isinstance(part, ast.Constant) and part.value in (None, ...))


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int)
