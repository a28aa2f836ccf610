"""Looks into a block file without running it: does it parse, is there a function, can it be called?

The rules of the call are those of `calling`: one positional argument per upstream block, or names
where the block was exported from a notebook. Nothing is imported.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.block import BLOCK_TYPES, Binding, Block
from jupyter_blocks.errors import Problem, Severity
from jupyter_blocks.wholefile import read_file

__all__ = ["check_block_file"]

_ALIASES = {"loader": "data_loader", "exporter": "data_exporter"}
_CONDITION = ("condition",)
_CALLBACK = ("callback", "on_success", "on_failure")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def check_block_file(project_root: Path, block: Block) -> list[Problem]:
    """Problems of a block's file and of its condition and callback files, with their lines."""
    problems = list(_File(project_root, block, block.file, block.content).check_block())
    for file in block.conditions:
        problems += _File(project_root, block, file).check_marks(_CONDITION)
    for file in block.callbacks:
        problems += _File(project_root, block, file).check_marks(_CALLBACK)
    return problems


@dataclass(frozen=True)
class _File:
    """One file of a block, or the text kept in metadata.yaml."""

    root: Path
    block: Block
    path: str
    content: str | None = None

    def check_block(self) -> Iterator[Problem]:
        tree = self._parse()
        if isinstance(tree, Problem):
            yield tree
            return
        names = _decorator_names(tree)
        kind = self.block.type.name
        own = [function for function, kinds in _decorated(tree, names) if kind in kinds]
        if not own:
            if not _is_used_otherwise(tree, names, kind):
                yield self._missing_decorator(tree, names)
            return
        for function in own[1:]:
            yield self._problem(
                "several-functions",
                f"Block '{self.block.name}' has more than one function decorated with @{kind}; "
                f"only the first one, '{own[0].name}', is called.",
                f"Remove the decorator of '{function.name}'.",
                line=function.lineno,
                severity="warning",
            )
        yield from self._check_call(own[0])

    def check_marks(self, kinds: Sequence[str]) -> Iterator[Problem]:
        """The file must hold a function with one of the decorators."""
        tree = self._parse()
        if isinstance(tree, Problem):
            yield tree
            return
        names = _decorator_names(tree)
        found = any(set(kinds) & marks for _, marks in _decorated(tree, names))
        if not found and not any(_is_used_otherwise(tree, names, kind) for kind in kinds):
            yield self._problem(
                "missing-decorator",
                f"No function in the file is decorated with @{kinds[0]}.",
                f"Put @{kinds[0]} above the function that block '{self.block.name}' needs.",
            )

    def _parse(self) -> ast.Module | Problem:
        try:
            source: str | bytes | None = self.content
            if source is None:
                source = read_file(f"{self.root}/{self.path}")
            with warnings.catch_warnings():
                # The worker compiles the file again and is the one to warn of `"\d"`.
                warnings.simplefilter("ignore")
                return ast.parse(source, self.path or "content")
        except OSError as error:
            message = f"The file of block '{self.block.name}' cannot be read: {error.strerror}."
            return self._problem("missing-file", message)
        except SyntaxError as error:
            text = (error.text or "").strip()
            return self._problem(
                "syntax-error",
                f"Block '{self.block.name}' is not valid Python: {error.msg}"
                f"{f': {text}' if text else ''}",
                line=error.lineno,
            )
        except (ValueError, RecursionError) as error:
            message = f"Block '{self.block.name}' is not valid Python: {error}."
            return self._problem("syntax-error", message)

    def _missing_decorator(self, tree: ast.Module, names: dict[str, str]) -> Problem:
        kind, name = self.block.type.name, self.block.name
        for function, kinds in _decorated(tree, names):
            for other in sorted(kinds & set(BLOCK_TYPES)):
                return self._problem(
                    "missing-decorator",
                    f"Block '{name}' is a {kind}, but its function '{function.name}' is "
                    f"decorated with @{other}.",
                    f"Write @{kind}, or change the type of the block.",
                    line=function.lineno,
                )
        functions = [node for node in tree.body if isinstance(node, _Function)]
        return self._problem(
            "missing-decorator",
            f"Block '{name}' has no function decorated with @{kind}.",
            f"Put @{kind} above the function to be called.",
            line=functions[0].lineno if functions else None,
        )

    def _check_call(self, function: _Function) -> Iterator[Problem]:
        binding = self.block.binding
        if binding is not None:
            yield from self._check_named(function, binding)
        elif self.block.type.name == "sensor":
            yield from self._check_sensor(function)
        else:
            yield from self._check_positional(function)

    def _check_positional(self, function: _Function) -> Iterator[Problem]:
        upstream = self.block.upstream
        names = _positional(function.args)
        is_open = function.args.vararg is not None
        if len(names) == len(upstream) or (is_open and len(names) < len(upstream)):
            return
        takes = f"{'at least ' if is_open else ''}{_count(len(names), 'positional argument')}"
        takes += f" ({', '.join(names)})" if names else ""
        has = _count(len(upstream), "upstream block")
        has += f" ({', '.join(upstream)})" if upstream else ""
        hint = "Add one parameter per upstream block, in their order, or *args."
        if len(names) > len(upstream):
            hint = "Correct upstream_blocks, and take values that are no upstream from **kwargs."
        yield self._problem(
            "argument-count",
            f"Block '{self.block.name}': its function '{function.name}' takes {takes}, "
            f"but the block has {has}.",
            hint,
            line=function.lineno,
        )

    def _check_sensor(self, function: _Function) -> Iterator[Problem]:
        arguments = function.args
        names = _positional(arguments)
        required = names[: len(names) - len(arguments.defaults)]
        if required and arguments.kwarg is None and arguments.vararg is None:
            yield self._problem(
                "argument-count",
                f"Block '{self.block.name}': a sensor is called without positional arguments, "
                f"but '{function.name}' requires {', '.join(required)}.",
                "Take upstream outputs by *args, and everything else by **kwargs.",
                line=function.lineno,
            )

    def _check_named(self, function: _Function, binding: Binding) -> Iterator[Problem]:
        arguments = function.args
        keyword_only = [argument.arg for argument in arguments.kwonlyargs]
        positional = _positional(arguments)
        known = {*positional, *keyword_only}
        given = {*binding.inputs, *binding.parameters}
        required = set(positional[: len(positional) - len(arguments.defaults)])
        required |= {
            argument.arg
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is None
        }
        for name in sorted(required - given):
            yield self._argument_problem(function, f"requires '{name}', which is not given to it")
        unknown = [] if arguments.kwarg else [name for name in binding.inputs if name not in known]
        for name in unknown:
            yield self._argument_problem(function, f"does not take '{name}', which is an input")

    def _argument_problem(self, function: _Function, what: str) -> Problem:
        return self._problem(
            "argument-count",
            f"Block '{self.block.name}': its function '{function.name}' {what}.",
            "Export the notebook again, or correct 'inputs' of the block in metadata.yaml.",
            line=function.lineno,
        )

    def _problem(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        line: int | None = None,
        severity: Severity = "error",
    ) -> Problem:
        return Problem(
            code,
            message,
            hint,
            severity=severity,
            block=self.block.name,
            path=self.path or None,
            line=line,
        )


def _positional(arguments: ast.arguments) -> list[str]:
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _decorator_names(tree: ast.Module) -> dict[str, str]:
    """Names under which decorators were imported -> what they are."""
    names = dict(_ALIASES)
    for node in _module_level(tree.body):
        if isinstance(node, ast.ImportFrom):
            for imported in node.names:
                name = _ALIASES.get(imported.name, imported.name)
                names[imported.asname or imported.name] = name
    return names


def _decorated(
    tree: ast.Module, names: dict[str, str]
) -> Iterator[tuple[_Function, frozenset[str]]]:
    """Functions of the module level that are decorated, and the names of their decorators."""
    for node in _module_level(tree.body):
        if isinstance(node, _Function) and node.decorator_list:
            yield node, frozenset(_decorator(item, names) for item in node.decorator_list)


def _decorator(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    return _ALIASES.get(node.attr, node.attr) if isinstance(node, ast.Attribute) else ""


def _module_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is loaded, those under `if` and `try` included."""
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                yield from _module_level(getattr(node, name, ()))
        for handler in getattr(node, "handlers", ()):
            yield from _module_level(handler.body)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_used_otherwise(tree: ast.Module, names: dict[str, str], kind: str) -> bool:
    """Whether the decorator is used in a way that only running the file can tell: `f = loader(g)`.

    The tree is walked only for files that seem to lack the decorator.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if names.get(node.id, node.id) == kind:
                return True
        elif isinstance(node, ast.ImportFrom) and any(item.name == "*" for item in node.names):
            return True
    return False
