"""Options set in one cell hold for the blocks after it, which run in processes of their own.

Statements such as `pd.set_option(...)` are written at the top of the file of each later block, in
the order of the notebook. A block does not pass its options on in any other way.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping, Sequence

from jupyter_blocks.binding.branches import bound_names
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.draws import Draws, random_uses
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.optioncalls import STATE, OptionCalls, adds_up, may_set
from jupyter_blocks.binding.optionsites import Site, sites_in_calls, sites_inside
from jupyter_blocks.binding.pathsettings import is_path_setting
from jupyter_blocks.binding.settingvalues import SettingValues
from jupyter_blocks.binding.statements import (
    Statement,
    StatementKind,
    asked_once,
    dotted_name,
)
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.dataflow import is_builtin
from jupyter_blocks.tags import Role

__all__ = ["options_before"]

_BRANCHES = ast.If | ast.For | ast.Try | ast.ExceptHandler
_ROLES = (Role.NONE, Role.SETUP, Role.PARAMETERS, Role.BLOCK, Role.CONTINUE)


def options_before(walk: Walk) -> Mapping[str, tuple[CodePart, ...]]:
    """Block -> the options that earlier cells set, cell by cell."""
    return _Options(walk).found()


class _Options:
    """Collects the options, cell by cell."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._set: dict[Hashable, tuple[CellCode, Statement]] = {}
        """Text of the statement, or its place -> where it stands last."""
        self._data: list[tuple[CellCode, Statement, str]] = []
        """Options that depend on a value, with its name."""
        self._values = SettingValues(self._module_of, lambda name: name in walk.shared.helpers)
        self._rebound: set[str] = set()
        """Names that stand for data by now, though an import binds them, too."""
        self._moves: list[tuple[CellCode, int]] = []
        """Cells that go to another folder, with the line."""
        self._states: dict[str, tuple[CellCode, Statement]] = {}
        """Names of loggers and the like -> where they are set."""
        self._inside: list[tuple[CellCode, int, Site]] = []
        """Options that nobody can set anew, with the cell that sets them and the line."""
        self._calls = OptionCalls(self._owner_of, self._is_definition)

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
            self._rebind(statement)
            self._note_state(code, statement)
            if self._is_seed(statement) or is_path_setting(statement.node):
                continue
            if self._is_option(statement):
                self._take(code, statement)
            elif statement.kind is not StatementKind.DEFINITION:
                self._take_inside(code, statement)

    def _take(self, code: CellCode, statement: Statement) -> None:
        data = self._data_read(statement)
        places = self._values.needed(data)
        if places is None or _wraps(statement, [place[1] for place in places]):
            self._data.append((code, statement, data[0]))
            return
        for each in places:
            self._set.setdefault(_place(each), each)
        found = (code, statement)
        key = _place(found) if adds_up(statement.node) else statement.text(code.lines)
        self._set[key] = found
        for name in bound_names(statement) if isinstance(statement.node, ast.Assign) else ():
            self._values.keep(name, code, statement)  # old = np.seterr(...)

    def _take_inside(self, code: CellCode, statement: Statement) -> None:
        """Options in branches and loops, and those that functions set which are called here."""
        for site in (*sites_inside(code, statement), *sites_in_calls(self._walk.shared, statement)):
            if isinstance(site.node, ast.Pass) or not self._calls.sets(site.node):
                continue
            inner = site.statement
            if self._is_seed(inner):
                continue
            if site.is_certain and not site.local and not self._data_read(inner):
                self._take(site.code, inner)
            elif self._is_repeatable(site, statement):
                self._take(code, statement)
            else:
                self._inside.append((code, statement.first, site))

    def _is_repeatable(self, site: Site, call: Statement) -> bool:
        """Whether the call of a function can be said again: it does nothing but set options."""
        sets = bool(site.whole) and all(map(self._calls.sets, site.whole))
        return sets and self._values.needed(self._data_read(call)) is not None

    def _note_state(self, code: CellCode, statement: Statement) -> None:
        """Take up names such as `logger`: what is set on them is set for the whole process."""
        for name in bound_names(statement).intersection(self._states):
            del self._states[name]
        if name := self._calls.state_name(statement.node):
            self._states[name] = (code, statement)
        for name, place in self._states.items():
            self._values.keep(name, *place)

    def _rebind(self, statement: Statement) -> None:
        """Note what its names stand for: `axes` of `from pylab import *` is soon axes."""
        if statement.kind is StatementKind.STAR_IMPORT:
            self._rebound -= {name for name in self._rebound if self._is_from(statement, name)}
        elif ast.Import in statement.by_type or ast.ImportFrom in statement.by_type:
            self._rebound -= bound_names(statement)
        else:
            self._rebound |= bound_names(statement)

    def _is_from(self, statement: Statement, name: str) -> bool:
        """Whether a star import gives `name`."""
        node = statement.node
        origin = self._walk.imports.module_of(name).rpartition(".")[0]
        return isinstance(node, ast.ImportFrom) and origin == (node.module or "")

    def _owner_of(self, name: str) -> str:
        """The same; of `logger` and the like the process."""
        return STATE if name in self._states else self._module_of(name)

    def _module_of(self, name: str) -> str:
        """The module that `name` stands for now, or is from; empty if it is data."""
        return "" if name in self._rebound else self._walk.imports.module_of(name)

    def _is_option(self, statement: Statement) -> bool:
        if not _may_be_option(statement):
            return False
        node = statement.node
        if statement.kind is StatementKind.SETTING:
            return True
        if isinstance(node, ast.If | ast.For | ast.Try):
            inner = [item for item in statement.nodes if isinstance(item, ast.stmt)]
            simple = [item for item in inner if not isinstance(item, _BRANCHES)]
            does_something = any(not isinstance(item, ast.Pass) for item in simple)
            return does_something and all(map(self._calls.sets, simple))
        return self._calls.sets(node)

    def _is_definition(self, name: str) -> bool:
        """Whether a class or a function is meant that all blocks share."""
        helper = self._walk.shared.helpers.get(name)
        return helper is not None and helper.is_definition

    def _is_seed(self, statement: Statement) -> bool:
        """Whether `randomness` takes care of it."""
        uses = random_uses([statement], self._module_of)
        return any(use.draws is Draws.SEED for use in uses)

    def _data_read(self, statement: Statement) -> list[str]:
        """Names that not every block has."""
        names = statement.by_type.get(ast.Name, ())
        own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
        own.update(node.arg for node in statement.by_type.get(ast.arg, ()))
        return [node.id for node in names if node.id not in own and not self._is_known(node.id)]

    def _is_known(self, name: str) -> bool:
        helpers = self._walk.shared.helpers
        return bool(self._module_of(name)) or name in helpers or is_builtin(name)

    def _parts(self, block: OpenBlock) -> tuple[CodePart, ...]:
        self._report_data(block)
        self._report_moves(block)
        self._report_inside(block)
        kept: dict[str, tuple[CellCode, list[Statement]]] = {}
        for code, statement in sorted(self._set.values(), key=_place):
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

    def _report_inside(self, block: OpenBlock) -> None:
        for code, line, site in self._inside:
            where = (
                f"'{site.function}' (line {site.node.lineno} of cell {site.code.number}) sets"
                if site.function
                else f"Line {site.node.lineno} sets"
            )
            add = self._walk.report.error if site.is_certain else self._walk.report.warning
            add(
                "option-inside",
                code.cell,
                f"{where} an option here{'' if site.is_certain else ', on some ways only'}. In the "
                f"notebook it holds for block '{block.name}' (cell {block.plan.first_cell}) and "
                "all below as well; blocks set options anew, and cannot tell this one.",
                "Set it at the top level of a cell, or let it be put back, as plt.rc_context and "
                "pd.option_context do.",
                line=line,
            )
        self._inside.clear()


def _wraps(statement: Statement, values: Sequence[Statement]) -> bool:
    """Whether it replaces what one of its values was: `old = np.mean`, `np.mean = lambda: old()`.

    Said again on a worker that has done so for another block, that would be done twice.
    """
    node = statement.node
    targets = (
        {dotted_name(target) for target in node.targets} if isinstance(node, ast.Assign) else ()
    )
    return any(
        isinstance(item.node, ast.Assign) and dotted_name(item.node.value) in targets
        for item in values
    )


def _place(item: tuple[CellCode, Statement]) -> tuple[int, int, int]:
    return item[0].number, item[1].first, item[1].col


@asked_once
def _may_be_option(statement: Statement) -> bool:
    """Whether it can be an option at all, whatever its names stand for."""
    if statement.kind is StatementKind.SETTING:
        return True
    if isinstance(statement.node, ast.If | ast.For | ast.Try):
        inner = (item for item in statement.nodes if isinstance(item, ast.stmt))
        return all(may_set(item) for item in inner if not isinstance(item, _BRANCHES))
    return may_set(statement.node)


@asked_once
def _moves(statement: Statement) -> list[int]:
    """Lines where it goes to another folder."""
    calls = statement.by_type.get(ast.Call, ())
    return [call.lineno for call in calls if dotted_name(call.func) == "os.chdir"]
