"""The top-level statements of a cell: which kind each is, and how to cut them out of the text.

The text itself is kept; nothing is ever written anew from the syntax tree. What the names mean
across cells is for `binding`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any, TypeVar

from jupyter_blocks.binding.nodes import Nodes, children, grouped
from jupyter_blocks.binding.pathsettings import PATH_CALLS, is_path_setting
from jupyter_blocks.dataflow.definitions import is_assigned_definition
from jupyter_blocks.wordsets import word_set

__all__ = [
    "Statement",
    "StatementKind",
    "asked_once",
    "asked_once_with",
    "classify",
    "cut",
    "dotted_name",
    "imported_names",
    "insert",
    "is_setting_call",
    "without_annotations",
]


class StatementKind(StrEnum):
    """What a top-level statement is for."""

    FUTURE = "future"
    """`from __future__ import annotations`."""
    IMPORT = "import"
    STAR_IMPORT = "star import"
    GUARDED_IMPORT = "guarded import"
    """`try: import x except ImportError: ...`, `if TYPE_CHECKING: import x`."""
    DEFINITION = "definition"
    SETTING = "setting"
    """A call or an assignment that sets an option of a library: `pd.set_option(...)`."""
    CONSTANT = "constant"
    """`NAME = value` with a value that is the same in every process."""
    TEXT = "text"
    """A docstring, `pass`, `...`."""
    CODE = "code"
    """Everything else."""

    @property
    def is_import(self) -> bool:
        """Whether it moves to the top of every block file."""
        return self in _IMPORTS


_IMPORTS = frozenset(
    (
        StatementKind.FUTURE,
        StatementKind.IMPORT,
        StatementKind.STAR_IMPORT,
        StatementKind.GUARDED_IMPORT,
    )
)


@dataclass(frozen=True)
class Statement:
    """One top-level statement. Lines are 1-based, columns count characters from 0."""

    kind: StatementKind
    node: ast.stmt
    first: int
    """First line; of a definition that of its decorators."""
    col: int
    last: int
    end_col: int
    names: tuple[str, ...] = ()
    """Names bound by an import or a definition, or assigned to."""
    _answers: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Of `asked_once`: question -> answer."""

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All its nodes in the order of `ast.walk`, but contexts and operators."""
        found: list[ast.AST] = [self.node]
        for node in found:
            found += children(node)
        return tuple(found)

    @cached_property
    def by_type(self) -> Nodes:
        """The same by their types, each of which has them in this order."""
        return grouped(self.nodes)

    @cached_property
    def mentioned(self) -> tuple[str, ...]:
        """The names in it, each once, in the order of `nodes`."""
        return tuple(dict.fromkeys(node.id for node in self.by_type.get(ast.Name, ())))

    def text(self, lines: Sequence[str]) -> str:
        """The statement as written, without a comment behind it."""
        part = list(lines[self.first - 1 : self.last])
        part[-1] = part[-1][: self.end_col]
        part[0] = part[0][self.col :]
        return "\n".join(part)


_Answer = TypeVar("_Answer")
_Given = TypeVar("_Given", bound=Hashable)
_MOST_ANSWERS = 16
"""That are kept to one question about one statement."""


def asked_once(question: Callable[[Statement], _Answer]) -> Callable[[Statement], _Answer]:
    """Remember what a function says of a statement; only for what the statement alone decides.

    Statements live on from one analysis of a notebook to the next (`parsed`).
    """

    @wraps(question)
    def answer(statement: Statement) -> _Answer:
        found: _Answer
        try:
            found = statement._answers[question]
        except KeyError:
            found = statement._answers[question] = question(statement)
        return found

    return answer


def asked_once_with(
    question: Callable[[Statement, _Given], _Answer],
) -> Callable[[Statement, _Given], _Answer]:
    """The same for what a statement says together with something that seldom changes."""

    @wraps(question)
    def answer(statement: Statement, given: _Given) -> _Answer:
        answers: dict[_Given, _Answer] = statement._answers.setdefault(question, {})
        if given not in answers:
            if len(answers) >= _MOST_ANSWERS:
                answers.clear()
            answers[given] = question(statement, given)
        return answers[given]

    return answer


def classify(tree: ast.Module, lines: Sequence[str]) -> tuple[Statement, ...]:
    """The top-level statements of a parsed cell; `lines` are those of its text."""
    return tuple(_statement(node, lines) for node in tree.body)


def dotted_name(node: ast.AST) -> str:
    """`np.random.seed` for such an expression; empty where it is not a plain dotted name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join((node.id, *reversed(parts)))


def insert(line: str, col: int, text: str) -> str:
    """`line` with `text` inserted before character `col`."""
    return line[:col] + text + line[col:]


def cut(lines: Sequence[str], statements: Iterable[Statement]) -> list[str | None]:
    """`lines` without `statements`; None for each line of which nothing is left.

    Where a statement shares its line with others (`import os; x = 1`), the others stay.
    """
    kept: list[str | None] = list(lines)
    for statement in sorted(statements, key=lambda item: (item.first, item.col), reverse=True):
        _cut_one(kept, statement)
    return kept


def without_annotations(tree: ast.Module, lines: Sequence[str]) -> list[str]:
    """`lines` with `0` in the place of each annotation; everything else stays where it is."""
    changed = list(lines)
    for node in ast.walk(tree):
        annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
        if isinstance(annotation, ast.expr):
            _blank(changed, lines, annotation)
    return changed


def _blank(changed: list[str], lines: Sequence[str], node: ast.expr) -> None:
    last = node.end_lineno or node.lineno
    for number in range(node.lineno, last + 1):
        start = _characters(lines, number, node.col_offset) if number == node.lineno else 0
        text = changed[number - 1]
        end = _characters(lines, number, node.end_col_offset or 0) if number == last else len(text)
        mark = "0" if number == node.lineno else " "
        changed[number - 1] = text[:start] + mark.ljust(end - start) + text[end:]


def _cut_one(kept: list[str | None], statement: Statement) -> None:
    before = (kept[statement.first - 1] or "")[: statement.col]
    after = (kept[statement.last - 1] or "")[statement.end_col :]
    rest = after.lstrip().removeprefix(";").lstrip()
    head = before.rstrip().removesuffix(";").rstrip()
    for number in range(statement.first - 1, statement.last):
        kept[number] = None
    if rest and not rest.startswith("#"):
        joined = before + rest if head and statement.first == statement.last else rest
        kept[statement.last - 1] = joined
        if head and statement.first < statement.last:
            kept[statement.first - 1] = head
    elif head:
        kept[statement.first - 1] = head + (f"  {rest}" if rest else "")


def _statement(node: ast.stmt, lines: Sequence[str]) -> Statement:
    first = node.lineno
    col = _characters(lines, node.lineno, node.col_offset)
    if isinstance(node, _DEFINITIONS) and node.decorator_list:
        first, col = min(item.lineno for item in node.decorator_list), 0
    last = node.end_lineno or first
    end_col = _characters(lines, last, node.end_col_offset or 0)
    kind, names = _kind(node)
    return Statement(kind, node, first, col, last, end_col, names)


def _characters(lines: Sequence[str], line: int, offset: int) -> int:
    """Column in characters for a column in UTF-8 bytes."""
    text = lines[line - 1]
    return offset if text.isascii() else len(text.encode()[:offset].decode())


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _kind(node: ast.stmt) -> tuple[StatementKind, tuple[str, ...]]:
    match node:
        case ast.Import() | ast.ImportFrom():
            return _import_kind(node), tuple(imported_names(node))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return StatementKind.DEFINITION, (node.name,)
        case ast.Assign(targets=[ast.Name(id=name)]) if is_assigned_definition(node):
            return StatementKind.DEFINITION, (name,)
        case ast.If() | ast.Try() | ast.With() if _is_guarded_import(node):
            return StatementKind.GUARDED_IMPORT, tuple(_bound_in_guard(node))
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return StatementKind.TEXT, ()
        case ast.Expr(value=ast.Call()) if is_setting_call(node.value):
            return StatementKind.SETTING, ()
        case _ if is_path_setting(node):
            return StatementKind.SETTING, ()
        case ast.Assign() | ast.AnnAssign():
            return _assignment_kind(node)
    return StatementKind.CODE, ()


def _import_kind(node: ast.Import | ast.ImportFrom) -> StatementKind:
    if isinstance(node, ast.ImportFrom):
        if node.module == "__future__":
            return StatementKind.FUTURE
        if node.names[0].name == "*":
            return StatementKind.STAR_IMPORT
    return StatementKind.IMPORT


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Names an import statement binds; none for a star import."""
    for alias in node.names:
        name = alias.asname or alias.name
        if name != "*":
            yield name if isinstance(node, ast.ImportFrom) else name.partition(".")[0]


def _is_guarded_import(node: ast.stmt) -> bool:
    """Whether a compound statement does nothing but import, or set names where it cannot."""
    inner = list(_inner(node))
    return any(isinstance(item, ast.Import | ast.ImportFrom) for item in inner) and all(
        _fits_guard(item) for item in inner
    )


def _inner(node: ast.stmt) -> Iterator[ast.stmt]:
    """The simple statements in a compound statement, at any depth."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ExceptHandler):
            yield from (item for part in child.body for item in _simple(part))
        elif isinstance(child, ast.stmt):
            yield from _simple(child)


def _simple(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.If | ast.Try | ast.With):
        yield from _inner(node)
    else:
        yield node


def _fits_guard(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return all(alias.name != "*" for alias in node.names)
        case ast.Assign(value=ast.Constant()):
            return all(isinstance(target, ast.Name) for target in node.targets)
        case ast.Pass() | ast.Raise() | ast.Expr(value=ast.Constant()):
            return True
    return False


def _bound_in_guard(node: ast.stmt) -> Iterator[str]:
    for item in _inner(node):
        if isinstance(item, ast.Import | ast.ImportFrom):
            yield from imported_names(item)
        elif isinstance(item, ast.Assign):
            yield from (target.id for target in item.targets if isinstance(target, ast.Name))


_SETTING_CALLS = word_set(
    """
    set_option reset_option set_style set_theme set_context set_palette set_printoptions seterr
    use filterwarnings simplefilter basicConfig setLevel set_verbosity seed manual_seed set_seed
    set_random_seed rc rcdefaults set_config set_loglevel setlocale load_dotenv
    set_string_function register_matplotlib_converters set_matplotlib_formats
    set_float_precision set_defaults set_auto_refresh setrecursionlimit disable_max_rows
    init_notebook_mode
    """
)
_SETTING_PATHS = ("sns.set", "seaborn.set", "tqdm.pandas", *PATH_CALLS)


def is_setting_call(call: ast.expr) -> bool:
    """Whether an expression calls a function that sets an option of a library."""
    name = dotted_name(call.func) if isinstance(call, ast.Call) else ""
    return bool(name) and (
        name in _SETTING_PATHS
        or name.rpartition(".")[2] in _SETTING_CALLS
        or name.endswith(("rcParams.update", "environ.update", "environ.setdefault"))
    )


def _assignment_kind(node: ast.Assign | ast.AnnAssign) -> tuple[StatementKind, tuple[str, ...]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = tuple(name for target in targets for name in _plain_names(target))
    if all(_is_option(target) for target in targets) and node.value is not None:
        return StatementKind.SETTING, ()
    plain = all(isinstance(target, ast.Name | ast.Tuple) for target in targets)
    if plain and node.value is not None and _is_constant(node.value):
        return StatementKind.CONSTANT, names
    return StatementKind.CODE, names


def _plain_names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _plain_names(item)


def _is_option(target: ast.expr) -> bool:
    """`pd.options.display.width`, `plt.rcParams["x"]`, `os.environ["X"]`."""
    if isinstance(target, ast.Subscript):
        return dotted_name(target.value).rpartition(".")[2] in ("rcParams", "environ")
    return ".options." in dotted_name(target)


_CONSTANT_CALLS = word_set(
    """
    Path PurePath PurePosixPath compile timedelta Timedelta Timestamp Decimal Fraction getLogger
    namedtuple TypeVar NewType join getenv get frozenset set dict list tuple range color_palette
    abspath cwd dirname expanduser getcwd realpath resolve
    """
)


def _is_constant(value: ast.expr) -> bool:
    """Whether the value is the same in every process, as far as can be seen."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name not in _CONSTANT_CALLS:
                return False
        elif isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
    return True
