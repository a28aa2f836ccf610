"""From the text of an IPython cell to plain Python with the same number of lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_blocks.magics.lines import Scanner, masked
from jupyter_blocks.magics.rules import (
    Rule,
    assigned_command,
    cell_magic,
    line_magic,
    shell_command,
)

__all__ = ["MagicProblem", "Note", "Plain", "strip_magics"]


class Note(NamedTuple):
    """Something that was left out or unwrapped, and why that is fine."""

    line: int
    text: str


class MagicProblem(NamedTuple):
    """A command that only IPython can run, and what to write instead."""

    line: int
    code: str
    message: str
    hint: str


class Plain(NamedTuple):
    """A cell as plain Python. Each line stands where it stood."""

    source: str
    notes: tuple[Note, ...] = ()
    problems: tuple[MagicProblem, ...] = ()


_SUSPECT = re.compile(
    r"^[ \t]*[%!?,;/]|^[ \t]*get_ipython\(\)|\?[ \t]*$|=\s*[%!]|\A\s*[ \t]+\S", re.MULTILINE
)
_CELL_MAGIC = re.compile(r"%%(?P<name>\w+|!)(?![\w?]*\?)[ \t]*(?P<arguments>.*)")
_LINE_MAGIC = re.compile(r"%(?P<cell>%?)\s*(?P<name>[\w.]*)[ \t]*(?P<arguments>.*)", re.DOTALL)
_KERNEL_CALL = re.compile(r"get_ipython\(\)\.(?P<method>\w+)\((?P<arguments>.*)\)\s*;?\s*\Z")
_AUTOCALL = "'{sign}' at the start of a line asks IPython to complete a call."


def strip_magics(source: str, *, first_line: int = 1) -> Plain:
    """The cell as plain Python, with notes on what was left out and problems with their remedy.

    Commands that only matter for the notebook become comments, timing is unwrapped, and what only
    IPython can run is a problem; a comment stands in its place, so that the rest can be analysed.
    Lines are numbered from `first_line`.
    """
    if not _SUSPECT.search(source):
        return Plain(source)
    stripper = _Stripper(first_line)
    lines = stripper.cell(_without_indent(source.split("\n")), first_line)
    return Plain("\n".join(lines), tuple(stripper.notes), tuple(stripper.problems))


def _without_indent(lines: list[str]) -> list[str]:
    """IPython takes the indentation of the first line off all lines."""
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines


class _Stripper:
    """Goes through the lines of a cell and gathers notes and problems."""

    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.notes: list[Note] = []
        self.problems: list[MagicProblem] = []

    def cell(self, lines: list[str], line: int) -> list[str]:
        """The lines of a cell, or of the body of a cell magic; `line` numbers the first."""
        start = next((number for number, text in enumerate(lines) if text.strip()), len(lines))
        magic = _CELL_MAGIC.match(lines[start]) if start < len(lines) else None
        if magic is None:
            return list(self._statements(lines, line))
        body = lines[start + 1 :]
        rule = cell_magic(magic["name"], magic["arguments"].strip(), "\n".join(body))
        self._report(Rule(note=rule.note, problem=rule.problem), line + start)
        rest = self.cell(body, line + start + 1) if rule.keeps_body else [*map(_comment, body)]
        rest = rest if rule.shows_value else _unshown(rest)
        return [*lines[:start], _comment(lines[start]), *rest]

    def _statements(self, lines: list[str], line: int) -> Iterator[str]:
        scanner = Scanner()
        number = 0
        while number < len(lines):
            rule = None
            if scanner.at_start:
                command, count = _joined(lines, number)
                rule = _rule(command)
            if rule is None:
                scanner.feed(lines[number])
                yield lines[number]
                number += 1
                continue
            self._report(rule, line + number)
            yield from _replaced(lines[number : number + count], rule)
            number += count

    def _report(self, rule: Rule, line: int) -> None:
        if rule.note:
            self.notes.append(Note(line, rule.note))
        if rule.problem:
            self.problems.append(MagicProblem(line, *rule.problem))


def _unshown(lines: list[str]) -> list[str]:
    """The lines with a `;` behind the last expression, so that its value is not shown."""
    try:
        body = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError):
        return lines  # said where the cell is analysed
    if not body or not isinstance(body[-1], ast.Expr):
        return lines
    number, column = body[-1].end_lineno or 1, body[-1].end_col_offset or 0
    line = lines[number - 1].encode()
    if line[column:].lstrip().startswith(b";"):
        return lines
    return [*lines[: number - 1], (line[:column] + b";" + line[column:]).decode(), *lines[number:]]


def _joined(lines: list[str], number: int) -> tuple[str, int]:
    """The command that begins on a line, backslashes followed, and its number of lines."""
    count = 1
    while lines[number + count - 1].endswith("\\") and number + count < len(lines):
        count += 1
    parts = lines[number : number + count]
    return " ".join([*(part[:-1].rstrip() for part in parts[:-1]), parts[-1].strip()]), count


def _rule(line: str) -> Rule | None:
    """What becomes of the statement that begins on this line; none if it is plain Python."""
    text = line.strip()
    if text.startswith("get_ipython()"):
        text = _from_kernel_call(text)
    if text.endswith("?") and masked(text).endswith("?"):
        return Rule(note=f"Left out '{text}': help is for people.")
    if text[:1] == "%":
        return _magic(text)
    if text[:1] in {"!", "?"}:
        is_help = text[0] == "?"
        return Rule(note=f"Left out '{text}': help is for people.") if is_help else _shell(text)
    if text[:1] in {",", ";", "/"}:
        problem = ("magic", _AUTOCALL.format(sign=text[0]), "Write the call with its brackets.")
        return Rule(problem=problem)
    return _assignment(text)


def _magic(text: str) -> Rule:
    found = _LINE_MAGIC.match(text)
    assert found is not None  # noqa: S101  # the pattern matches whatever begins with '%'
    if found["cell"]:
        message = f"'%%{found['name']}' must stand on the first line of its cell."
        return Rule(problem=("cell-magic", message, "Split the cell there."))
    return line_magic(found["name"], found["arguments"])


def _shell(text: str) -> Rule:
    return shell_command(text.lstrip("!").strip())


def _assignment(text: str) -> Rule | None:
    """What becomes of `x = %magic` or `x = !command`."""
    if "=" not in text or ("%" not in text and "!" not in text):
        return None
    code = masked(text)
    equals = _assignment_sign(code)
    if equals is None:
        return None
    command = text[equals + 1 :].strip()
    if command[:1] == "!" and command[:2] != "!=":
        return assigned_command(text[:equals].strip(), "!", command.lstrip("!").strip())
    if re.match(r"%\w", command):
        return assigned_command(text[:equals].strip(), "%", command[1:])
    return None


def _assignment_sign(code: str) -> int | None:
    """Position of the first `=` outside brackets that assigns."""
    depth = 0
    for position, sign in enumerate(code):
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "=" and depth == 0:
            before, after = code[max(position - 1, 0) : position], code[position + 1 : position + 2]
            if after != "=" and (not before or before not in "=<>!:+-*/%&|^@"):
                return position
    return None


def _from_kernel_call(text: str) -> str:
    """`%magic` or `!command` for the calls that nbconvert writes for them; else the text."""
    call = _KERNEL_CALL.match(text)
    if call is None:
        return text
    try:
        arguments = ast.literal_eval(f"({call['arguments']},)")
    except (ValueError, SyntaxError):
        return text
    if not all(isinstance(argument, str) for argument in arguments):
        return text
    if call["method"] in {"magic", "run_line_magic"}:
        return "%" + " ".join(argument for argument in arguments if argument)
    return "!" + arguments[0] if call["method"] == "system" else text


def _replaced(lines: list[str], rule: Rule) -> Iterator[str]:
    """The lines of a command, after `rule`, in as many lines."""
    first = lines[0]
    indent = first[: len(first) - len(first.lstrip())]
    if rule.code is not None:
        comment = f"  {_comment(first.strip())}" if rule.problem else ""
        yield f"{indent}{rule.code}{comment}"
    else:
        # A block of nothing but a command must not become a block of nothing.
        keeps = f"{indent}pass  " if indent else ""
        yield f"{keeps}{_comment(first.strip() if indent else first)}"
    for line in lines[1:]:
        yield f"{indent}{_comment(line.strip())}"


def _comment(line: str) -> str:
    return f"# {line}" if line.strip() else line
