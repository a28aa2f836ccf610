"""The files that code names by literal paths, and whether it reads or writes them."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
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
    line: int


@dataclass(frozen=True)
class FileUse:
    """One file or folder that code reads or writes."""

    path: str
    """Normalized, with `/`; of a pattern such as `out/*.csv` the folder."""
    writes: bool
    line: int


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
                yield FileUse(found, call.is_writing or call.function in writers, call.line)


def literal_path(node: ast.expr | None, names: Mapping[str, str]) -> str | None:
    """The text of an expression that is a path made of literals; none if it is anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return _joined([_part(value, names) for value in node.values], "")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        parts = [literal_path(side, names) for side in (node.left, node.right)]
        return _joined(parts, "/" if isinstance(node.op, ast.Div) else "")
    if isinstance(node, ast.Call):
        return _path_of_call(node, names)
    return None


def _part(node: ast.expr, names: Mapping[str, str]) -> str | None:
    return literal_path(node.value if isinstance(node, ast.FormattedValue) else node, names)


def _joined(parts: list[str | None], separator: str) -> str | None:
    known = [part for part in parts if part is not None]
    return separator.join(known) if len(known) == len(parts) else None


def _path_of_call(node: ast.Call, names: Mapping[str, str]) -> str | None:
    function = dotted_name(node.func)
    if function.rpartition(".")[2] in _PATH_TYPES or function.endswith(_JOINS):
        return _joined([literal_path(item, names) for item in node.args], "/") if node.args else "."
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_PATH:
        return literal_path(node.func.value, names)
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
    return FileCall(function, tuple(paths), _is_writing(function, node), node.lineno)


def _may_be_path(node: ast.expr) -> bool:
    """Whether `literal_path` can find a path, whatever the names stand for."""
    if isinstance(node, ast.Call):
        return _is_path_call(node)
    return isinstance(node, ast.Constant | ast.Name | ast.JoinedStr | ast.BinOp)


def _is_path_call(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_PATH:
        return True
    function = dotted_name(node.func)
    return function.rpartition(".")[2] in _PATH_TYPES or function.endswith(_JOINS)


def _path(node: ast.expr, names: Mapping[str, str], function: str) -> str:
    """The path that an argument of a function is; empty if it is none."""
    return _normalized(literal_path(node, names), function)


def _is_writing(function: str, node: ast.Call) -> bool:
    if function not in _OPENS:
        return function in _WRITES or function.startswith(_WRITE_STARTS)
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    modes = [item.value for item in values if isinstance(item, ast.Constant)]
    return any(isinstance(mode, str) and _WRITE_MODE.fullmatch(mode) for mode in modes)


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
