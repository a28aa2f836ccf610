"""The files that code names by literal paths, and whether it reads or writes them."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jupyter_blocks.binding.statements import dotted_name
from jupyter_blocks.wordsets import word_set

__all__ = ["FileCall", "FileUse", "file_calls", "file_uses", "literal_path"]


@dataclass(frozen=True)
class FileCall:
    """One call that may read or write files, as far as it says so itself."""

    function: str
    """Name of the function or method."""
    values: tuple[str | ast.expr, ...]
    """Paths, and expressions that may be paths: that depends on what their names stand for."""
    is_writing: bool
    is_making: bool
    """Whether it makes a folder if there is none, and otherwise does nothing."""
    line: int


@dataclass(frozen=True)
class FileUse:
    """One file or folder that code reads or writes."""

    path: str
    """Normalized, with `/`; of a pattern such as `out/*.csv` the folder."""
    writes: bool
    line: int
    makes: bool = False
    """Whether it makes a folder if there is none: that can be done twice, in any order."""


_WRITES = word_set(
    """ZipFile connect copy copy2 copyfile copytree create_engine download dump export extract
    extractall imsave imwrite makedirs mkdir move remove rename replace retrieve rmdir rmtree save
    save_model savefig savemat savetxt savez savez_compressed symlink_to to_csv to_disk to_excel
    to_feather to_file to_hdf to_html to_json to_latex to_markdown to_netcdf to_orc to_parquet
    to_pickle to_stata to_xml to_zarr touch unlink urlretrieve wget write write_bytes write_html
    write_image write_text"""
)
_WRITE_STARTS = ("export_", "save_", "sink_", "store_", "write_")
_PATH_TYPES = word_set("Path PosixPath PurePath PurePosixPath")
_JOINS = ("os.path.join", "path.join", "join")
_PATTERN = re.compile(r"[*?\[]")
_LOOKS_LIKE_A_PATH = re.compile(r"[^\n:*?\"<>|]*?[\w)]\.\w{1,8}\Z|[^\n:\"<>|]*/[^\n:\"<>|]*\Z")
_SAME_PATH = ("resolve", "absolute", "expanduser")
_PATH_METHODS = (*_SAME_PATH, "format", "joinpath")
_LONGEST = 200
_OPENS = ("open", "ZipFile", "File")
_MODE = re.compile(r"[rwaxbt+]{1,3}|[rwax]:(?:gz|bz2|xz)")
_WRITE_MODE = re.compile(r"[rbt]*[wax+][rbt+]*|[wax]:(?:gz|bz2|xz)")
_DATABASE = re.compile(r"\A(?:sqlite|duckdb):/{3}(?P<path>.+)\Z")
_DEFAULT_SUFFIX = {"save": ".npy", "savez": ".npz", "savez_compressed": ".npz", "savefig": ".png"}


def file_calls(nodes: Iterable[ast.AST]) -> list[FileCall]:
    """The calls among `nodes` that may have to do with files, in the same order."""
    calls = (_file_call(node) for node in nodes if isinstance(node, ast.Call))
    return [call for call in calls if call is not None]


def file_uses(
    calls: Iterable[FileCall], names: Mapping[str, str], writers: frozenset[str] = frozenset()
) -> Iterator[FileUse]:
    """The files named in calls, in their order.

    `names` are variables with the paths they hold; `writers` are functions of the notebook that
    write to what they are given.
    """
    for call in calls:
        for value in call.values:
            found = value if isinstance(value, str) else _path(value, names, call.function)
            if found:
                writes = call.is_writing or call.function in writers
                yield FileUse(found, writes, call.line, call.is_making)


def literal_path(node: ast.expr | None, names: Mapping[str, str]) -> str | None:
    """The text of an expression that is a path made of literals; none if it is anything else."""
    match node:
        case ast.Constant(value=str() | int() as value) if not isinstance(value, bool):
            return str(value)
        case ast.Name(id=name):
            return names.get(name)
        case ast.JoinedStr(values=values):
            return _joined([_part(value, names) for value in values], "")
        case ast.BinOp(left=left, op=ast.Div() | ast.Add() as op, right=right):
            parts = [literal_path(side, names) for side in (left, right)]
            return _joined(parts, "/" if isinstance(op, ast.Div) else "")
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            items = right.elts if isinstance(right, ast.Tuple) else [right]
            return _filled(re.sub(r"%[ds]", "{}", text), items, names)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return None if node.keywords else _filled(text, node.args, names)
        case ast.Call():
            return _path_of_call(node, names)
    return None


def _part(node: ast.expr, names: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.FormattedValue):
        return None if node.format_spec else literal_path(node.value, names)
    return literal_path(node, names)


def _filled(text: str, items: Sequence[ast.expr], names: Mapping[str, str]) -> str | None:
    """`"{}/{}.csv".format(folder, 2024)`."""
    parts = [literal_path(item, names) for item in items]
    if text.count("{}") != len(parts) or "%" in text or text.count("{") != len(parts):
        return None
    return _joined(
        [piece for pair in zip(text.split("{}"), [*parts, ""], strict=True) for piece in pair], ""
    )


def _joined(parts: list[str | None], separator: str) -> str | None:
    known = [part for part in parts if part is not None]
    return separator.join(known) if len(known) == len(parts) else None


def _path_of_call(node: ast.Call, names: Mapping[str, str]) -> str | None:
    function = dotted_name(node.func)
    if function.rpartition(".")[2] in _PATH_TYPES or function.endswith(_JOINS):
        return _joined([literal_path(item, names) for item in node.args], "/") if node.args else "."
    match node.func:
        case ast.Attribute(value=value, attr=method) if method in _SAME_PATH:
            return literal_path(value, names)
        case ast.Attribute(value=value, attr="joinpath"):
            return _joined([literal_path(item, names) for item in (value, *node.args)], "/")
        case ast.Name(id="str") if len(node.args) == 1:
            return literal_path(node.args[0], names)
    return None


def _file_call(node: ast.Call) -> FileCall | None:
    function = node.func.attr if isinstance(node.func, ast.Attribute) else dotted_name(node.func)
    if function in _PATH_TYPES or dotted_name(node.func).endswith(_JOINS):
        return None
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Constant):
        values.append(node.func.value)  # Path("x.csv").write_text(...)
    paths = [
        _path(value, {}, function) if isinstance(value, ast.Constant) else value
        for value in values
        if _may_be_path(value)
    ]
    if not any(paths):
        return None
    is_writing, is_making = _is_writing(function, node), _is_making(function, node)
    return FileCall(function, tuple(paths), is_writing, is_making, node.lineno)


def _may_be_path(node: ast.expr) -> bool:
    """Whether `literal_path` can find a path, whatever the names stand for."""
    if isinstance(node, ast.Call):
        return _is_path_call(node)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.Name | ast.JoinedStr | ast.BinOp)


def _is_path_call(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _PATH_METHODS:
        return True
    function = dotted_name(node.func)
    is_path = function.rpartition(".")[2] in _PATH_TYPES or function.endswith(_JOINS)
    return is_path or function == "str"


def _path(node: ast.expr, names: Mapping[str, str], function: str) -> str:
    """The path that an argument of a function is; empty if it is none."""
    return _normalized(literal_path(node, names), function)


def _is_writing(function: str, node: ast.Call) -> bool:
    if function not in _OPENS:
        return function in _WRITES or function.startswith(_WRITE_STARTS)
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    modes = [item.value for item in values if isinstance(item, ast.Constant)]
    return any(isinstance(mode, str) and _WRITE_MODE.fullmatch(mode) for mode in modes)


def _is_making(function: str, node: ast.Call) -> bool:
    """`makedirs("out", exist_ok=True)`, `Path("out").mkdir(exist_ok=True)`."""
    return function in ("makedirs", "mkdir") and any(
        keyword.arg == "exist_ok"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


def _normalized(path: str | None, function: str) -> str:
    """The path of a file; empty for a text that is none."""
    if not path or len(path) > _LONGEST or path.isspace():
        return ""
    if function in _OPENS and _MODE.fullmatch(path):
        return ""
    database = _DATABASE.match(path)
    path = (database["path"] if database else path).replace("\\", "/")
    suffix = _DEFAULT_SUFFIX.get(function, "")
    if suffix and "." not in posixpath.basename(path) and "\n" not in path:
        path += suffix
    if "://" in path or not (_LOOKS_LIKE_A_PATH.match(path) or _is_folder(path, function)):
        return ""
    pattern = _PATTERN.search(path)
    if pattern:
        path = posixpath.dirname(path[: pattern.start()]) or "."
    return posixpath.normpath(path)


def _is_folder(path: str, function: str) -> bool:
    """Whether a word without dot or slash is the name of a folder or file to this function."""
    known = function in ("listdir", "scandir", "walk", "iterdir", "glob", "rglob", "exists", "open")
    return (known or function in ("makedirs", "mkdir", "rmtree", "extractall", "touch")) and bool(
        re.fullmatch(r"[\w.-]+", path)
    )
