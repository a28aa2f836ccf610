"""Lines of a cell, from its text alone: where a name is set or changed, where chance comes in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jupyter_blocks.magics import strip_magics

__all__ = [
    "Chance",
    "Setting",
    "chances",
    "imported_modules",
    "left_as_found",
    "settings_of",
    "shown_line",
    "uses_of",
]


@dataclass(frozen=True)
class Setting:
    """A line that sets a name, or may change its value."""

    line: int
    key: str = ""
    """The column, key or attribute that it sets, where it sets no more."""


@dataclass(frozen=True)
class Chance:
    """A line that gives another value each time."""

    line: int
    what: str
    """`random`, `time` or `process`."""
    is_sure: bool = True


_TIMES = frozenset(
    {
        *("time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.process_time"),
        *("time.ctime", "time.localtime", "time.gmtime", "time.strftime"),
        *("datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow"),
        *("datetime.date.today", "pandas.Timestamp.now", "pandas.Timestamp.today"),
        *("pandas.Timestamp.utcnow", "timeit.timeit", "timeit.default_timer"),
    }
)
_PROCESS = frozenset({"os.getpid", "os.getppid", "id", "hash", "threading.get_ident"})
_MEMORY = frozenset({"numpy.empty", "numpy.empty_like"})
_SEEDING = frozenset(
    {"seed", "set_state", "setstate", "get_state", "getstate", "Generator", "SeedSequence"}
)
_SEEDED_BY_ARGUMENT = frozenset(
    {"default_rng", "RandomState", "Random", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"}
)
_RANDOM_PACKAGES = ("random", "numpy.random")
_RANDOM_CALLS = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom"})
_MAY_DRAW = frozenset(
    {
        *("bootstrap", "fit", "fit_predict", "fit_transform", "permutation", "resample", "rvs"),
        *("sample", "shuffle", "train_test_split"),
    }
)
_FIXED_BY = frozenset({"random_state", "seed", "rng"})


def _parse(source: str) -> ast.Module:
    """The cell as a tree; of no statements where it is not Python."""
    try:
        return ast.parse(strip_magics(source).source)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def shown_line(source: str) -> int | None:
    """The line of the last expression."""
    body = _parse(source).body
    return body[-1].lineno if body and isinstance(body[-1], ast.Expr) else None


def uses_of(source: str, name: str) -> int | None:
    """The first line that names `name`, rather one that sets or changes it."""
    settings = list(settings_of(source, name))
    if settings:
        return settings[0].line
    nodes = ast.walk(_parse(source))
    lines = [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=None)


def left_as_found(source: str, name: str | None, modules: Mapping[str, str]) -> int | None:
    """The line of `name = np.empty(...)` in a cell that does nothing else to the name.

    Such an array holds whatever was in memory. For no name it is that of the last expression.
    """
    body = _parse(source).body
    if name is None:
        last = body[-1] if body else None
        value = last.value if isinstance(last, ast.Expr) else None
        return last.lineno if last and value and _is_memory(value, modules) else None
    lines = [
        statement.lineno
        for statement in body
        if isinstance(statement, ast.Assign) and _is_memory(statement.value, modules)
    ]
    settings = list(settings_of(source, name))
    return next((line for line in lines if settings == [Setting(line)]), None)


def _is_memory(value: ast.expr, modules: Mapping[str, str]) -> bool:
    return isinstance(value, ast.Call) and _path(value.func, modules) in _MEMORY


# names


def settings_of(source: str, name: str) -> Iterator[Setting]:
    """Every line of a cell that sets a name or may change its value, in the order of the text.

    Inside of functions nothing counts, but for the `return` of a function of that name's block.
    """
    for statement in _statements(_parse(source).body):
        yield from _settings(statement, name)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in order, with those inside of loops, conditions and the like."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            inner = getattr(statement, part, [])
            for each in inner:
                yield from _statements(each.body) if not isinstance(each, ast.stmt) else ()
            yield from _statements([each for each in inner if isinstance(each, ast.stmt)])


def _settings(statement: ast.stmt, name: str) -> Iterator[Setting]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if statement.name == name:
            yield Setting(_last_return(statement))
        return
    if isinstance(statement, ast.Import | ast.ImportFrom):
        if name in {(each.asname or each.name).partition(".")[0] for each in statement.names}:
            yield Setting(statement.lineno)
        return
    for target in _targets(statement):
        yield from _target(target, name)
    if isinstance(statement, ast.Expr) and _passes_on(statement.value, name):
        yield Setting(statement.lineno)


def _last_return(function: ast.stmt) -> int:
    returns = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Return)]
    return max(returns, default=function.lineno)


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(statement, ast.Assign | ast.Delete):
        yield from statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        yield statement.target
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield from (item.optional_vars for item in statement.items if item.optional_vars)
    simple = not hasattr(statement, "body")
    for node in ast.walk(statement) if simple else ():
        if isinstance(node, ast.NamedExpr):
            yield node.target


def _target(target: ast.expr, name: str) -> Iterator[Setting]:
    if isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _target(each, name)
    elif isinstance(target, ast.Starred):
        yield from _target(target.value, name)
    elif _root(target) == name:
        yield Setting(target.lineno, _key(target))


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _key(target: ast.expr) -> str:
    """What of a name is set: `x["a"]`, `x.loc[rows, "a"]` and `x.a` set its `a`."""
    if isinstance(target, ast.Attribute):
        return target.attr
    if not isinstance(target, ast.Subscript):
        return ""
    index: ast.expr = target.slice
    if isinstance(index, ast.Tuple) and index.elts:
        index = index.elts[-1]
    return str(index.value) if isinstance(index, ast.Constant) else ""


def _passes_on(value: ast.expr, name: str) -> bool:
    """Whether an expression that stands alone calls a method of a name, or hands it on."""
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return False
    arguments = [*value.args, *(keyword.value for keyword in value.keywords)]
    return (isinstance(value.func, ast.Attribute) and _root(value.func) == name) or any(
        isinstance(each, ast.Name) and each.id == name for each in arguments
    )


# chance


def imported_modules(sources: list[str]) -> dict[str, str]:
    """Name -> dotted path of what the cells of a notebook import under it."""
    found = {}
    for source in sources:
        for node in ast.walk(_parse(source)):
            if isinstance(node, ast.Import):
                for each in node.names:
                    root = each.name.partition(".")[0]
                    found[each.asname or root] = each.name if each.asname else root
            elif isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    found[each.asname or each.name] = f"{node.module}.{each.name}"
    return found


def chances(source: str, modules: Mapping[str, str]) -> Iterator[Chance]:
    """The lines of a cell that give another value each time, first those that surely do."""
    calls = [node for node in ast.walk(_parse(source)) if isinstance(node, ast.Call)]
    found = [chance for call in calls if (chance := _chance(call, modules))]
    yield from sorted(found, key=lambda chance: (not chance.is_sure, chance.line))


def _chance(call: ast.Call, modules: Mapping[str, str]) -> Chance | None:
    path = _path(call.func, modules)
    package, _, name = path.rpartition(".")
    if path in _TIMES:
        return Chance(call.lineno, "time")
    if path in _PROCESS:
        return Chance(call.lineno, "process")
    if path in _RANDOM_CALLS or package == "secrets":
        return Chance(call.lineno, "random")
    if any(keyword.arg in _FIXED_BY for keyword in call.keywords):
        return None
    if package in _RANDOM_PACKAGES:
        seeded = name in _SEEDING or (name in _SEEDED_BY_ARGUMENT and call.args)
        return None if seeded else Chance(call.lineno, "random")
    method = name or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    return Chance(call.lineno, "random", is_sure=False) if method in _MAY_DRAW else None


def _path(node: ast.expr, modules: Mapping[str, str]) -> str:
    """The dotted path of what is called, with the modules that names stand for."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return words[0] if words else ""
    return ".".join([modules.get(node.id, node.id), *reversed(words)])
