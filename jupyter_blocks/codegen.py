"""Block drafts -> the text of block files and of the shared module. Pure: same draft, same text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jupyter_blocks.binding import (
    BlockDraft,
    CodePart,
    HelpersDraft,
    ImportLine,
    Returns,
    Style,
    TestDraft,
)
from jupyter_blocks.blockfile import Passage, compose
from jupyter_blocks.celltext import passages, returning

__all__ = ["block_text", "helpers_text"]

_INDENT = "    "
_LINE_LENGTH = 88
_BLANK = Passage("")
_DECORATORS = "jupyter_blocks.decorators"
_END, _KEEP = "end_cell", "keep_figures"
"""Functions beside the decorators: where figures of pyplot end."""
_DISPLAY = "from IPython.display import display"


def block_text(block: BlockDraft, *, pipeline: str, notebook: str) -> str:
    """The file of a block.

    `notebook` is the path of the notebook relative to the project, for the header.
    """
    names = _own_names(block)
    bound = _bound(block, names)
    prefix = f"{_DECORATORS}." if bound.intersection(names) else ""
    sections = [
        *_import_sections(block.code.imports, _decorator_import(block, names, prefix)),
        _helper_import(block, pipeline),
        _constants(block.code.module_parameters),
        _options(block, prefix),
    ]
    if block.code.shows:
        sections[-3:-3] = [[Passage(_DISPLAY)]]
    body = _decorated(block) if block.style is Style.DECORATED else _function(block, prefix)
    tests = [_test(block, test, prefix) for test in block.code.tests]
    return compose(
        [*_joined(sections, 1), *_apart([body, *tests])],
        pipeline=pipeline,
        notebook=notebook,
        block=block.name,
    )


def helpers_text(helpers: HelpersDraft, *, pipeline: str, notebook: str) -> str:
    """The module that the blocks of a pipeline share."""
    sections = _import_sections(helpers.imports, "")
    if helpers.shows:
        sections.append([Passage(_DISPLAY)])
    sections.append(_constants(helpers.parameters))
    parts = [passages(part.cell, part.lines) for part in helpers.parts]
    return compose(
        [*_joined(sections, 1), *_apart([part for part in parts if part])],
        pipeline=pipeline,
        notebook=notebook,
    )


# the top of a file


def _import_sections(imports: Sequence[ImportLine], own: str) -> list[list[Passage]]:
    future = _imports([line for line in imports if line.is_future])
    others = _imports([line for line in imports if not line.is_future])
    return [future, [Passage(own)] if own else [], others]


def _imports(lines: Sequence[ImportLine]) -> list[Passage]:
    """Import statements, with the blank lines that their cell has between them."""
    found: list[Passage] = []
    for line in lines:
        blank = line.blank_lines if found and found[-1].cell == line.cell else 0
        found += [Passage("", line.cell, line.line - blank + count) for count in range(blank)]
        found.append(Passage(line.text, line.cell, line.line))
    return found


def _own_names(block: BlockDraft) -> tuple[str, ...]:
    """Decorators, and functions beside them, that the file uses by name."""
    names = set(block.code.decorators)
    if block.style is Style.PLAIN:
        names.add(block.type.name)
    if block.code.tests:
        names.add("test")
    if any(part.ends_figures for part in block.code.parts):
        names.add(_END)
    if block.code.keeps_figures:
        names.add(_KEEP)
    return tuple(sorted(names))


def _bound(block: BlockDraft, own: Sequence[str]) -> frozenset[str]:
    """Names that the file gives another meaning than we do, or may give in the function."""
    imported = (
        name
        for line in block.code.imports
        if not line.text.startswith("from jupyter_blocks")
        for name in line.names
    )
    text = "\n".join(line or "" for part in block.code.parts for line in part.lines)
    inside = (name for name in (_END, _KEEP) if name in own and name in text)
    return frozenset((*imported, *inside, *block.code.helpers, *block.code.module_parameters))


def _decorator_import(block: BlockDraft, names: Sequence[str], prefix: str) -> str:
    if prefix:
        return f"import {_DECORATORS}"
    imported = {name for line in block.code.imports for name in line.names}
    missing = [name for name in names if name not in imported]
    return f"from {_DECORATORS} import {', '.join(missing)}" if missing else ""


def _helper_import(block: BlockDraft, pipeline: str) -> list[Passage]:
    names = block.code.helpers
    if names:
        return [Passage(_wrapped(f"from helpers.{pipeline} import ", names, "()"))]
    if block.code.loads_settings:
        return [Passage(f"import helpers.{pipeline}  # settings")]
    return []


def _constants(parameters: Mapping[str, Any]) -> list[Passage]:
    return [Passage(f"{name} = {value!r}  # parameter") for name, value in parameters.items()]


def _options(block: BlockDraft, prefix: str) -> list[Passage]:
    """What earlier cells set holds for this block as well."""
    parts = block.code.options
    found = [passage for part in parts for passage in passages(part.cell, part.lines)]
    return [*found, Passage(f"{prefix}{_KEEP}()")] if block.code.keeps_figures else found


# functions


def _decorated(block: BlockDraft) -> list[Passage]:
    return [passage for part in block.code.parts for passage in passages(part.cell, part.lines)]


def _function(block: BlockDraft, prefix: str) -> list[Passage]:
    code = block.code
    parts = [list(part.lines) for part in code.parts]
    if code.returns is Returns.EXPRESSION and code.last_expression is not None:
        parts[-1] = returning(parts[-1], code.last_expression)
    keyword_only = [*code.arguments, *_defaults(code.kept_globals)]
    changed = zip(code.parts, parts, strict=True)
    body = _body([replace(part, lines=tuple(lines)) for part, lines in changed], prefix)
    ending = _return(block.outputs) if code.returns is Returns.NAMES else ""
    return [
        Passage(f"@{prefix}{block.type.name}"),
        Passage(_signature(code.function, block.inputs, keyword_only, is_async=code.is_async)),
        *_ended(body, ending),
    ]


def _test(block: BlockDraft, test: TestDraft, prefix: str) -> list[Passage]:
    signature = _signature(test.name, block.outputs, _defaults(test.kept_globals))
    return [Passage(f"@{prefix}test"), Passage(signature), *_ended(_body([test.part], prefix), "")]


def _body(parts: Iterable[CodePart], prefix: str) -> list[Passage]:
    end = Passage(f"{_INDENT}{prefix}{_END}()")
    found = (
        [*passages(part.cell, part.lines, indent=_INDENT), *([end] if part.ends_figures else [])]
        for part in parts
    )
    return _joined(found, 1)


def _ended(body: list[Passage], ending: str) -> list[Passage]:
    """The body with its last line; a body without code needs one."""
    lines = (line.strip() for passage in body for line in passage.text.split("\n"))
    if not ending and all(not line or line.startswith("#") for line in lines):
        ending = f"{_INDENT}pass"
    return [*body, Passage(ending)] if ending else body


def _return(outputs: Sequence[str]) -> str:
    if len(outputs) == 1:
        return f"{_INDENT}return {outputs[0]}"
    entries = [f'"{name}": {name}' for name in outputs]
    return _wrapped(f"{_INDENT}return ", entries, "{}")


def _defaults(names: Iterable[str]) -> list[str]:
    """Names of the module that the code binds again: their value comes in as a default."""
    return [f"{name}={name}" for name in names]


def _signature(
    name: str, inputs: Iterable[str], keyword_only: Sequence[str], *, is_async: bool = False
) -> str:
    arguments = [*inputs, *(["*", *keyword_only] if keyword_only else [])]
    start = "async def" if is_async else "def"
    return f"{_wrapped(f'{start} {name}', arguments, '()', always=True)}:"


def _wrapped(start: str, entries: Sequence[str], brackets: str, *, always: bool = False) -> str:
    """Entries behind `start`, on one line if they fit; brackets only where needed, or `always`."""
    left, right = brackets[0], brackets[1]
    line = ", ".join(entries)
    bare = brackets == "()" and not always
    text = f"{start}{line}" if bare else f"{start}{left}{line}{right}"
    if len(text) < _LINE_LENGTH or not entries:
        return text
    margin = start[: len(start) - len(start.lstrip())]
    rows = "".join(f"{margin}{_INDENT}{entry},\n" for entry in entries)
    return f"{start}{left}\n{rows}{margin}{right}"


# lines between


def _joined(sections: Iterable[list[Passage]], blank_lines: int) -> list[Passage]:
    """Sections that have something, with blank lines between."""
    found: list[Passage] = []
    for section in sections:
        if section and found:
            found += [_BLANK] * blank_lines
        found += section
    return found


def _apart(sections: Iterable[list[Passage]]) -> list[Passage]:
    """Sections two blank lines apart, and from what is above them."""
    return [passage for section in sections for passage in (_BLANK, _BLANK, *section)]
