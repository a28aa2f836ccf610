"""Options set in one cell hold for the blocks after it, which run in processes of their own.

Statements such as `pd.set_option(...)` are written at the top of the file of each later block, in
the order of the notebook. A block does not pass its options on in any other way.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.draws import Draws, random_uses
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.settingvalues import SettingValues
from jupyter_blocks.binding.statements import (
    Statement,
    StatementKind,
    asked_once,
    dotted_name,
    is_path_setting,
    is_setting_call,
)
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.dataflow import is_builtin
from jupyter_blocks.tags import Role

__all__ = ["options_before"]

_BRANCHES = ast.If | ast.For | ast.Try | ast.ExceptHandler
_SETTERS = ("set_", "enable_", "disable_")
_ROLES = (Role.NONE, Role.SETUP, Role.PARAMETERS, Role.BLOCK, Role.CONTINUE)


def options_before(walk: Walk) -> Mapping[str, tuple[CodePart, ...]]:
    """Block -> the options that earlier cells set, cell by cell."""
    return _Options(walk).found()


class _Options:
    """Collects the options, cell by cell."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._set: dict[str, tuple[CellCode, Statement]] = {}
        """Text of the statement -> where it stands last."""
        self._data: list[tuple[CellCode, Statement, str]] = []
        """Options that depend on a value, with its name."""
        self._values = SettingValues(
            walk.imports.module_of, lambda name: name in walk.shared.helpers
        )
        self._moves: list[tuple[CellCode, int]] = []
        """Cells that go to another folder, with the line."""

    def found(self) -> Mapping[str, tuple[CodePart, ...]]:
        found: dict[str, tuple[CodePart, ...]] = {}
        for code in self._walk.codes:
            plan = self._walk.where.plan_of(code.number)
            if plan is not None and code is plan.cells[0]:
                found[plan.name] = self._parts(self._walk.blocks[plan.name])
            if code.tags.role in _ROLES:
                self._add(code)
        return found

    def _add(self, code: CellCode) -> None:
        self._values.enter(code)
        for statement in code.statements:
            self._moves += [(code, line) for line in _moves(statement)]
            self._values.add(code, statement)
            if not self._is_option(statement) or self._is_seed(statement):
                continue
            data = self._data_read(statement)
            places = self._values.needed(data)
            if places is None:
                self._data.append((code, statement, data[0]))
                continue
            for place in (*places, (code, statement)):
                text = place[1].text(place[0].lines)
                self._set.pop(text, None)
                self._set[text] = place

    def _is_option(self, statement: Statement) -> bool:
        if not _may_be_option(statement):
            return False
        node = statement.node
        if statement.kind is StatementKind.SETTING:
            return not is_path_setting(node)
        if isinstance(node, ast.If | ast.For | ast.Try):
            inner = [item for item in statement.nodes if isinstance(item, ast.stmt)]
            simple = [item for item in inner if not isinstance(item, _BRANCHES)]
            does_something = any(not isinstance(item, ast.Pass) for item in simple)
            return does_something and all(self._sets_module(item) for item in simple)
        return self._sets_module(node)

    def _sets_module(self, node: ast.stmt) -> bool:
        """`np.float = float`, `pl.Config.set_tbl_rows(5)`: something of a module is changed."""
        if isinstance(node, ast.Assign):
            plain = all(isinstance(target, ast.Name) for target in node.targets)
            if plain:  # old = np.seterr(...)
                return is_setting_call(node.value) and self._is_of_module(node.value)
            return all(self._is_of_module(target) for target in node.targets)
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
            return isinstance(node, ast.Pass)
        path = dotted_name(node.value.func)
        module = self._walk.imports.module_of(path.partition(".")[0])
        is_setter = path.rpartition(".")[2].startswith(_SETTERS)
        is_setter = is_setter and not module.startswith("matplotlib.pyplot")
        return bool(module) and (is_setter or is_setting_call(node.value))

    def _is_of_module(self, target: ast.expr) -> bool:
        """Whether something of a module, or of a class or function all blocks share, is meant."""
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Call):
            return dotted_name(target.value.func).rpartition(".")[2] == "getcontext"
        target = target.func if isinstance(target, ast.Call) else target
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        name = target.id if isinstance(target, ast.Name) else ""
        helper = self._walk.shared.helpers.get(name)
        return bool(self._walk.imports.module_of(name)) or (
            helper is not None and helper.is_definition
        )

    def _is_seed(self, statement: Statement) -> bool:
        """Whether `randomness` takes care of it."""
        uses = random_uses([statement], self._walk.imports.module_of)
        return any(use.draws is Draws.SEED for use in uses)

    def _data_read(self, statement: Statement) -> list[str]:
        """Names that not every block has."""
        names = statement.by_type.get(ast.Name, ())
        own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
        return [node.id for node in names if node.id not in own and not self._is_known(node.id)]

    def _is_known(self, name: str) -> bool:
        helpers = self._walk.shared.helpers
        return bool(self._walk.imports.module_of(name)) or name in helpers or is_builtin(name)

    def _parts(self, block: OpenBlock) -> tuple[CodePart, ...]:
        self._report_data(block)
        self._report_moves(block)
        kept: dict[str, tuple[CellCode, list[Statement]]] = {}
        for code, statement in self._set.values():
            kept.setdefault(code.cell.ref, (code, []))[1].append(statement)
            block.use_helpers(self._walk.shared.named(statement))
        return tuple(code.part_of(statements) for code, statements in kept.values())

    def _report_data(self, block: OpenBlock) -> None:
        for code, statement, name in self._data:
            self._walk.report.error(
                "option-reads-data",
                code.cell,
                f"In the notebook this option holds for block '{block.name}' (cell "
                f"{block.plan.first_cell}) and all below as well; blocks set it anew, and "
                f"'{name}' is not there for each of them.",
                "Write the value itself, or set the option in each block that needs it.",
                line=statement.first,
            )
        self._data.clear()

    def _report_moves(self, block: OpenBlock) -> None:
        for code, line in self._moves:
            self._walk.report.error(
                "changes-folder",
                code.cell,
                "In the notebook all cells below work in that folder; every block starts in the "
                f"folder of the notebook, such as block '{block.name}' (cell "
                f"{block.plan.first_cell}).",
                "Write paths that begin with the folder instead, or use contextlib.chdir.",
                line=line,
            )
        self._moves.clear()


@asked_once
def _may_be_option(statement: Statement) -> bool:
    """Whether it can be an option at all, whatever its names stand for."""
    if statement.kind is StatementKind.SETTING:
        return True
    if isinstance(statement.node, ast.If | ast.For | ast.Try):
        inner = (item for item in statement.nodes if isinstance(item, ast.stmt))
        return all(_may_set_module(item) for item in inner if not isinstance(item, _BRANCHES))
    return _may_set_module(statement.node)


def _may_set_module(node: ast.stmt) -> bool:
    """Whether a simple statement may change something of a module, if its names are modules."""
    if isinstance(node, ast.Assign):
        is_plain = all(isinstance(target, ast.Name) for target in node.targets)
        return not is_plain or is_setting_call(node.value)
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return isinstance(node, ast.Pass)
    name = dotted_name(node.value.func).rpartition(".")[2]
    return name.startswith(_SETTERS) or is_setting_call(node.value)


@asked_once
def _moves(statement: Statement) -> list[int]:
    """Lines where it goes to another folder."""
    calls = statement.by_type.get(ast.Call, ())
    return [call.lineno for call in calls if dotted_name(call.func) == "os.chdir"]
