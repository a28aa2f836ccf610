"""Setup cells and the parameters cell: what every block has before it begins.

Setup is run anew in each process, so it must come to the same there as in the notebook: code that
reads data, depends on a parameter or differs from run to run is refused.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.binding.blockfunction import DECORATORS
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.imports import Imports
from jupyter_blocks.binding.pathsettings import is_path_setting, names_for_path
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.scope import Origin, Scope
from jupyter_blocks.binding.settingvalues import SettingValues
from jupyter_blocks.binding.shared import Helper, Shared
from jupyter_blocks.binding.statements import Statement, StatementKind, dotted_name
from jupyter_blocks.binding.where import Where
from jupyter_blocks.dataflow import CellFlow, Use, is_builtin
from jupyter_blocks.wordsets import word_set

__all__ = ["Setup"]

_PURE = frozenset(
    (
        StatementKind.FUTURE,
        StatementKind.IMPORT,
        StatementKind.STAR_IMPORT,
        StatementKind.GUARDED_IMPORT,
        StatementKind.DEFINITION,
        StatementKind.SETTING,
        StatementKind.CONSTANT,
        StatementKind.TEXT,
    )
)
_VARYING = word_set(
    """now today utcnow perf_counter time_ns uuid1 uuid4 getpid random rand randn randint randrange
    choice choices normal uniform shuffle sample permutation token_hex token_bytes"""
)
_GENERATORS = word_set("default_rng RandomState Random Generator")


class Setup:
    """Takes up setup and parameters cells."""

    def __init__(
        self, scope: Scope, report: Report, where: Where, imports: Imports, shared: Shared
    ) -> None:
        self.scope = scope
        self.report = report
        self.where = where
        self.imports = imports
        self.shared = shared
        self.parameters: dict[str, Any] = {}
        self.cells: set[int] = set()
        """Numbers of the setup cells."""
        self.names_read: set[str] = set()
        """Names that the setup cells read when they run."""
        self._values = SettingValues(imports.module_of, lambda _name: False)

    def is_setup(self, code: CellCode) -> bool:
        """Whether a cell without a tag only imports, defines and sets options."""
        kinds = {statement.kind for statement in code.statements}
        if not kinds <= _PURE or kinds <= {StatementKind.CONSTANT, StatementKind.TEXT}:
            return False
        reads = code.flow_without(_imports(code)).reads
        imported = {name for item in _imports(code) for name in item.names}
        return all(use.name in imported or self._is_shared(use.name) for use in reads)

    def add_imports(self, code: CellCode, *, is_optional: bool = False) -> None:
        """Take up all import statements of a cell, and what adds to the path they search."""
        self._values.enter(code)
        for statement in code.statements:
            if is_path_setting(statement.node):
                self._add_path(code, statement)
            else:
                self._values.add(code, statement)
            if not statement.kind.is_import:
                continue
            for name in self.imports.add(code, statement, is_optional=is_optional):
                self.scope.bind(name, Origin.IMPORT, code.number)

    def _add_path(self, code: CellCode, statement: Statement) -> None:
        """Take up what changes the path, with the values it is made of."""
        names = names_for_path(statement.node)
        for place in self._values.needed(names) or ():
            self.imports.add_path(*place)
        self.imports.add_path(code, statement)
        unknown = [name for name in names if self._values.needed([name]) is None]
        if unknown:
            self.report.error(
                "option-reads-data",
                code.cell,
                "Imports below may need this path, and stand at the top of each file, where "
                f"'{unknown[0]}' is not there yet.",
                "Write the path itself, such as sys.path.append('..').",
                line=statement.first,
            )

    def add_setup(self, code: CellCode) -> None:
        """Move a setup cell to the shared module."""
        self.cells.add(code.number)
        self.add_imports(code)
        imports = _imports(code)
        flow = code.flow_without(imports)
        self._check_reads(code, flow)
        self._check_same_everywhere(code)
        self._bind_names(code, flow)
        # Options are set anew in each block (`options`), seeds in the block that draws first.
        options = code.statements_of(StatementKind.SETTING)
        self.shared.add_cell(code, code.without([*imports, *options]))
        if any(item.kind is StatementKind.CODE for item in code.statements):
            self.shared.has_settings = True

    def add_parameters(self, code: CellCode) -> None:
        """Take up the parameters cell."""
        self.add_imports(code)
        constants = []
        for statement in code.statements:
            if statement.kind.is_import or statement.kind is StatementKind.TEXT:
                continue
            values = _literals(statement)
            if values is None:
                constants.append(statement)
            for name, value in (values or {}).items():
                self.parameters[name] = value
                self.scope.bind(name, Origin.PARAMETER, code.number)
        if constants:
            self._add_constants(code, constants)

    def define(self, code: CellCode, statement: Statement) -> None:
        """Take up the name of a function or class that moves to the shared module."""
        definition = code.definitions[statement.names[0]]
        helper = Helper(
            definition.name,
            code,
            statement.first,
            statement.text(code.lines),
            statement,
            definition.free - {definition.name},
            definition.changes,
        )
        self._add_helper(helper)
        if _registers(statement):
            self.shared.has_settings = True
        self._check_definition(code, statement)
        self.scope.bind(definition.name, Origin.HELPER, code.number, is_definition=True)

    def _bind_names(self, code: CellCode, flow: CellFlow) -> None:
        for statement in code.statements_of(StatementKind.DEFINITION):
            self.define(code, statement)
        texts = {
            name: statement.text(code.lines)
            for statement in code.statements
            for name in statement.names
        }
        lines = {name: item.first for item in code.statements for name in item.names}
        defined = code.definitions
        for name in (*flow.binds, *flow.maybe_binds):
            if name not in defined:
                self._add_helper(Helper(name, code, lines.get(name, 1), texts.get(name, "")))
                self.scope.bind(name, Origin.HELPER, code.number)
        for name in flow.deletes:
            self.scope.bind(name, Origin.DELETED, code.number)

    def _add_helper(self, helper: Helper) -> None:
        other = self.shared.add_helper(helper)
        if other is not None:
            self.report.error(
                "redefined-helper",
                helper.code.cell,
                f"'{helper.name}' is set here and in another way in cell {other.code.number}; "
                "blocks share one module, where the last one would hold for all.",
                "Give one of them another name.",
                line=helper.line,
            )

    def _add_constants(self, code: CellCode, statements: list[Statement]) -> None:
        """Values of the parameters cell that cannot be given from outside."""
        flow = code.flow_without([item for item in code.statements if item not in statements])
        self._check_reads(code, flow)
        self._check_same_everywhere(code)
        for statement in statements:
            self.report.warning(
                "constant-parameter",
                code.cell,
                "This is not a plain value (text, number, true, false, None, list or mapping), so "
                "it cannot be set from the command line.",
                "Write a plain value here, or move the line to a cell with the tag 'imports'.",
                line=statement.first,
            )
        others = [item for item in code.statements if item not in statements]
        self._bind_names(code, flow)
        self.shared.add_cell(code, code.without(others))

    def _check_reads(self, code: CellCode, flow: CellFlow) -> None:
        """Setup may read what setup provides, nothing else."""
        self.names_read.update(use.name for use in (*flow.reads, *flow.maybe_reads))
        for use in flow.reads:
            provider = self.scope.get(use.name)
            if provider is None:
                if not is_builtin(use.name) and use.name not in DECORATORS:
                    self.where.report_missing(code, use, None)
            elif provider.origin is Origin.PARAMETER:
                self._depends_on_parameter(code, use)
            elif not self._is_shared(use.name):
                self._reads_data(code, use)

    def _check_definition(self, code: CellCode, statement: Statement) -> None:
        """Defaults and decorators are evaluated once, before the parameters of a run are known."""
        definition = code.definitions[statement.names[0]]
        for name in sorted(definition.needed_to_define):
            provider = self.scope.get(name)
            if provider is not None and provider.origin is Origin.PARAMETER:
                self._depends_on_parameter(code, Use(name, statement.first))

    def _depends_on_parameter(self, code: CellCode, use: Use) -> None:
        self.report.error(
            "depends-on-parameter",
            code.cell,
            f"This depends on the parameter '{use.name}', whose value is known only when a block "
            "runs.",
            "Compute it in a block.",
            line=use.line,
        )

    def _reads_data(self, code: CellCode, use: Use) -> None:
        provider = self.scope.get(use.name)
        place = self.where.provider(provider) if provider else "another cell"
        self.report.error(
            "setup-reads-data",
            code.cell,
            f"This setup cell reads '{use.name}' of {place}; setup runs before all blocks.",
            "Move that line to a block.",
            line=use.line,
        )

    def _check_same_everywhere(self, code: CellCode) -> None:
        called = [(name.rpartition(".")[2], line) for name, line in code.flow.attribute_calls]
        top_level = {
            line
            for item in code.statements
            if item.kind is not StatementKind.DEFINITION and not item.kind.is_import
            for line in range(item.first, item.last + 1)
        }
        for name, line in called:
            if line not in top_level:
                continue
            if name in _VARYING:
                self.report.error(
                    "varying-setup",
                    code.cell,
                    f"'{name}' gives another value in each process, and every block runs this.",
                    "Compute it in a block.",
                    line=line,
                )
            elif name in _GENERATORS:
                self.report.warning(
                    "seed-in-setup",
                    code.cell,
                    "Each block runs in a process of its own and starts this generator anew.",
                    "Make it in a block: then it is carried on like any other value.",
                    line=line,
                )

    def _is_shared(self, name: str) -> bool:
        """Whether the shared module has the name, or every module has."""
        provider = self.scope.get(name)
        if provider is None:
            return is_builtin(name)
        return provider.origin in (Origin.IMPORT, Origin.HELPER)


def _registers(statement: Statement) -> bool:
    """Whether a library learns of a definition: `@register_dataframe_accessor("geo")`."""
    decorators = getattr(statement.node, "decorator_list", ())
    functions = (item.func if isinstance(item, ast.Call) else item for item in decorators)
    return any("register" in dotted_name(function) for function in functions)


def _imports(code: CellCode) -> tuple[Statement, ...]:
    """The imports that move to the top of the files."""
    return tuple(statement for statement in code.statements if statement.kind.is_import)


def _literals(statement: Statement) -> Mapping[str, Any] | None:
    """Names and values where the statement gives names plain JSON values; else none."""
    node = statement.node
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        pairs.append((node.target, node.value))
    elif isinstance(node, ast.Assign):
        pairs += [(target, node.value) for target in node.targets]
    else:
        return None
    found: dict[str, Any] = {}
    while pairs:
        target, value = pairs.pop(0)
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple | ast.List):
            if len(target.elts) != len(value.elts):
                return None
            pairs[:0] = zip(target.elts, value.elts, strict=True)
            continue
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        if not isinstance(target, ast.Name) or not _is_plain(literal):
            return None
        found[target.id] = literal
    return found


def _is_plain(value: Any) -> bool:
    """Whether JSON and YAML have the value as it is."""
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)
