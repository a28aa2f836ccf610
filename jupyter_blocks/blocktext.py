"""An exported file taken apart: which of its lines are the user's, and of which cell.

What export adds (decorators, signatures, a return of the outputs, imports of helpers) is told from
what it copied out of the cells, in the file as it was written and in the same file edited by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_blocks.blockfile import Header, parse_header, without_header
from jupyter_blocks.celltext import inside_strings

__all__ = ["IMPORTS", "BlockText", "Line", "Wrapper", "read_edited", "read_exported"]

IMPORTS = "import"
"""Region of the imports at the top of a file."""

_MARKS = ("end_cell()", "keep_figures()")
_RETURN = re.compile(r"return\b[ \t]*")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Wrapper:
    """A function that export has put around the lines of cells."""

    name: str
    returns_last: bool = False
    """Whether its last line is the last expression of a cell, with `return` in front of it."""
    outputs: tuple[str, ...] = ()
    """Names that the return returns which export has added."""
    ending: tuple[str, ...] = ()
    """The lines of that return."""


@dataclass(frozen=True)
class Line:
    """A line of a file that is no work of export."""

    text: str
    """As it stands in the cell: without the indentation that the function needs."""
    number: int
    """Line of the file without its header, from 1."""
    region: str
    """Name of the wrapper it is in; `import` for an import at the top; empty elsewhere."""
    cell: str = ""
    """Reference of its cell; empty in an edited file, where that is to be found out."""
    cell_line: int = 0
    in_string: bool = False
    """Whether the line begins inside a string, where indentation is part of the value."""
    ends_cell: bool = False
    """Whether export has added the line to say that a cell ends here; then it has no text."""


@dataclass(frozen=True)
class BlockText:
    """A file taken apart."""

    lines: tuple[Line, ...]
    code: str
    """The file without header, with the returns as the cells have them."""
    wrappers: tuple[Wrapper, ...] = ()
    pipeline: str = ""

    @property
    def is_plain_block(self) -> bool:
        """Whether it is the file of a block made from plain cells."""
        return bool(self.wrappers)


def read_exported(text: str) -> BlockText:
    """A file as export wrote it."""
    header = parse_header(text)
    code = without_header(text)
    if header is None:
        raise ValueError("the file has no header")
    start = text.replace("\r\n", "\n").count("\n") - code.count("\n")
    wrappers = tuple(_wrappers(code, header, start))
    lines = _without_returns(code, wrappers)
    inside = inside_strings(lines)
    regions = _regions(lines, {wrapper.name for wrapper in wrappers})
    found = []
    for index, line in enumerate(lines):
        place = header.locate(start + index + 1)
        if place is None:
            continue
        text_ = line if index in inside else _dedented(line, regions[index], wrappers)
        found.append(Line(text_, index + 1, regions[index], *place, in_string=index in inside))
    return BlockText(tuple(found), "\n".join(lines), wrappers, header.pipeline)


def read_edited(text: str, base: BlockText) -> BlockText:
    """The same file as somebody changed it; raises `SyntaxError` where it is not Python."""
    lines = _without_returns(without_header(text), base.wrappers)
    code = "\n".join(lines)
    inside = inside_strings(lines)
    names = {wrapper.name for wrapper in base.wrappers}
    regions = _regions(lines, names)
    own, ends = _own_lines(code, base)
    found = [
        Line("", index + 1, regions[index], ends_cell=True)
        if index in ends
        else Line(
            line if index in inside else _dedented(line, regions[index], base.wrappers),
            index + 1,
            regions[index],
            in_string=index in inside,
        )
        for index, line in enumerate(lines)
        if index not in own
    ]
    while found and not found[-1].text.strip():
        found.pop()
    return BlockText(tuple(found), code, base.wrappers, base.pipeline)


def _wrappers(code: str, header: Header, start: int) -> Iterator[Wrapper]:
    for node in ast.parse(code).body:
        if not isinstance(node, _Function) or header.locate(start + node.lineno) is not None:
            continue
        last = node.body[-1]
        if not isinstance(last, ast.Return):
            yield Wrapper(node.name)
        elif header.locate(start + last.lineno) is not None:
            yield Wrapper(node.name, returns_last=True)
        else:
            lines = code.split("\n")[last.lineno - 1 : last.end_lineno]
            yield Wrapper(node.name, False, _outputs(last), tuple(lines))


def _outputs(node: ast.Return) -> tuple[str, ...]:
    if isinstance(node.value, ast.Dict):
        return tuple(str(ast.literal_eval(key)) for key in node.value.keys if key is not None)
    return (node.value.id,) if isinstance(node.value, ast.Name) else ()


# returns


def _without_returns(code: str, wrappers: Sequence[Wrapper]) -> list[str]:
    """The lines with each return as a cell says it: an expression, or an assignment."""
    lines = code.split("\n")
    known = {wrapper.name: wrapper for wrapper in wrappers}
    for node in reversed(ast.parse(code).body):
        if not isinstance(node, _Function) or node.name not in known:
            continue
        last = node.body[-1]
        if isinstance(last, ast.Return) and last.value is not None:
            _unreturn(lines, last, known[node.name])
    return lines


def _unreturn(lines: list[str], node: ast.Return, wrapper: Wrapper) -> None:
    start, end = node.lineno - 1, node.end_lineno or node.lineno
    indent = lines[start][: node.col_offset]
    rest = lines[start][node.col_offset :]
    if not wrapper.outputs:
        lines[start] = indent + _RETURN.sub("", rest, count=1)
    elif len(wrapper.outputs) == 1:
        name = wrapper.outputs[0]
        if not (isinstance(node.value, ast.Name) and node.value.id == name):
            lines[start] = indent + _RETURN.sub(f"{name} = ", rest, count=1)
            lines[end:end] = wrapper.ending
    elif isinstance(node.value, ast.Dict):
        changed = _changed_entries("\n".join(lines), node.value)
        if changed and _outputs(node) == wrapper.outputs:
            names, values = ", ".join(changed), ", ".join(changed.values())
            lines[start:end] = [f"{indent}{names} = {values}", *wrapper.ending]


def _changed_entries(code: str, node: ast.Dict) -> dict[str, str]:
    """Output -> expression, of the entries of a return that are not just the name."""
    found = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return {}
        if not (isinstance(value, ast.Name) and value.id == key.value):
            text = ast.get_source_segment(code, value) or ""
            found[key.value] = f"({text})" if "\n" in text or isinstance(value, ast.Tuple) else text
    return found


# lines


def _regions(lines: Sequence[str], wrappers: set[str]) -> list[str]:
    """For each line the wrapper it is in, or that it is an import at the top."""
    regions = [""] * len(lines)
    name = ""
    first_code = None
    starts: dict[int, str] = {}
    for node in ast.parse("\n".join(lines)).body:
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        is_import = isinstance(node, ast.Import | ast.ImportFrom | ast.Try | ast.If | ast.With)
        if is_import and first_code is None:
            for index in range(first - 1, node.end_lineno or first):
                regions[index] = IMPORTS
            continue
        first_code = first if first_code is None else first_code
        starts[first - 1] = node.name if isinstance(node, _Function) else ""
    for index, line in enumerate(lines[: (first_code or 1) - 1]):
        regions[index] = regions[index] if line.strip() else IMPORTS
    for index, line in enumerate(lines):
        if index in starts:
            name = starts[index] if starts[index] in wrappers else ""
        elif line and not line[0].isspace() and line.startswith("#") and regions[index] == "":
            name = name if _goes_on(lines, index) else ""
        if name:
            regions[index] = name
    return regions


def _goes_on(lines: Sequence[str], index: int) -> bool:
    """Whether the function is not over yet at a comment that begins its line."""
    rest = (line for line in lines[index + 1 :] if line.strip() and not line.startswith("#"))
    return next(rest, "x")[0].isspace()


def _dedented(line: str, region: str, wrappers: Sequence[Wrapper]) -> str:
    if all(region != wrapper.name for wrapper in wrappers):
        return line
    if line.startswith("\t"):
        return line[1:]
    return line[4:] if line.startswith("    ") else line.lstrip(" ")


def _own_lines(code: str, base: BlockText) -> tuple[set[int], set[int]]:
    """Indexes of the lines of an edited file that are export's: whatever they say, it says it.

    Those that say where a cell ends come apart from the others.
    """
    lines = code.split("\n")
    copied = {line.text for line in base.lines}
    known = {wrapper.name: wrapper for wrapper in base.wrappers}
    own: set[int] = set()
    ends: set[int] = set()
    for node in ast.parse(code).body:
        if isinstance(node, _Function) and node.name in known:
            own.update(range(*_signature(node, lines)))
            marks = (item for item in node.body if _is_mark(item, lines, copied))
            ends.update(item.lineno - 1 for item in marks)
            last = node.body[-1]
            if _is_ending(last, known[node.name], copied):
                own.update(range(last.lineno - 1, last.end_lineno or last.lineno))
        elif lines[node.lineno - 1] not in copied and _is_generated(node, lines, base.pipeline):
            own.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return own, ends


def _is_mark(node: ast.stmt, lines: Sequence[str], copied: set[str]) -> bool:
    """Whether export has added a statement that says where figures end."""
    text = lines[node.lineno - 1].strip()
    return text.removeprefix("jupyter_blocks.decorators.") in _MARKS and text not in copied


def _is_ending(node: ast.stmt, wrapper: Wrapper, copied: set[str]) -> bool:
    """Whether a function ends in a line that export has added."""
    if isinstance(node, ast.Pass):
        return "pass" not in copied
    return isinstance(node, ast.Return) and not wrapper.returns_last


def _signature(node: _Function, lines: Sequence[str]) -> tuple[int, int]:
    """The lines from the first decorator to the colon."""
    first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
    end = node.body[0].lineno - 1
    while end > node.lineno and (not lines[end - 1].strip() or lines[end - 1].lstrip()[0] == "#"):
        end -= 1
    return first - 1, end


def _is_generated(node: ast.stmt, lines: Sequence[str], pipeline: str) -> bool:
    """Whether export adds such a statement at the top, for decorators, helpers, parameters."""
    modules = ("jupyter_blocks.decorators", f"helpers.{pipeline}", "IPython.display")
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        return node.module in modules[:2] or (node.module == modules[2] and names == {"display"})
    if isinstance(node, ast.Import):
        return all(alias.name in modules[:2] for alias in node.names)
    return _is_mark(node, lines, set()) or lines[(node.end_lineno or node.lineno) - 1].endswith(
        "# parameter"
    )
