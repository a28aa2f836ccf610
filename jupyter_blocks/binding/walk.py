"""The walk over a notebook, cell by cell, in the order in which a person runs it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from jupyter_blocks.binding.aliases import Aliases, last_changes
from jupyter_blocks.binding.branches import certainly_changed
from jupyter_blocks.binding.carried import kept_names
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.decorated import DecoratedBlocks
from jupyter_blocks.binding.grouping import BlockPlan
from jupyter_blocks.binding.imports import Imports, conflicting_names
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.plain import PlainBlocks, data_names
from jupyter_blocks.binding.reading import Reader
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.scope import Origin, Scope
from jupyter_blocks.binding.setup import Setup
from jupyter_blocks.binding.shared import Shared
from jupyter_blocks.binding.statements import StatementKind
from jupyter_blocks.binding.testcells import TestCells
from jupyter_blocks.binding.together import Group
from jupyter_blocks.binding.where import Where
from jupyter_blocks.tags import Role

__all__ = ["Walk"]


class Walk:
    """Everything known after walking the notebook."""

    def __init__(
        self,
        codes: Sequence[CellCode],
        plans: Sequence[BlockPlan],
        folder: Path,
        report: Report,
        groups: Collection[Group] = (),
    ) -> None:
        self.codes = codes
        self.report = report
        self.blocks: dict[str, OpenBlock] = {plan.name: OpenBlock(plan) for plan in plans}
        self.scope = Scope()
        self.where = Where(codes, plans, report)
        self.shared = Shared()
        self.imports = Imports(folder, lambda: self._words, report)
        self.setup = Setup(self.scope, report, self.where, self.imports, self.shared)
        aliases = Aliases(self.scope, self.imports.module_of, last_changes(codes))
        self.reader = Reader(
            self.scope, report, self.where, self.blocks, aliases, self.imports, groups
        )
        plain = [code for code in codes if not self._is_decorated(code)]
        self._plain = PlainBlocks(self.reader, self.setup, folder, _kept(plain, plans))
        self._decorated = DecoratedBlocks(self.reader, self.setup, self.blocks)
        self._tests = TestCells(self.reader, self.setup, self.blocks)

    def run(self) -> None:
        """Walk all cells."""
        for code in self.codes:
            if code.is_valid:
                self._take(code)
        self._check_splits()
        self.reader.refusals.unbound()

    def _is_decorated(self, code: CellCode) -> bool:
        plan = self.where.plan_of(code.number)
        return plan is not None and plan.function is not None

    def _take(self, code: CellCode) -> None:
        plan = self.where.plan_of(code.number)
        role = code.tags.role
        if plan is not None:
            self.report.extend(code.set_aside)
        if plan is not None or role in (Role.SETUP, Role.PARAMETERS, Role.TEST):
            self._refuse_globals(code, plan)
        if plan is not None and plan.function is not None:
            self._decorated.add(self.blocks[plan.name], code, plan.function)
        elif plan is not None:
            self._plain.add(self.blocks[plan.name], code)
        elif role is Role.PARAMETERS:
            self.setup.add_parameters(code)
        elif role is Role.SETUP or (role is Role.NONE and self.setup.is_setup(code)):
            self.report.extend(replace(item, severity="warning") for item in code.set_aside)
            self.setup.add_setup(code)
        elif role is Role.TEST:
            self._tests.add(code)
        else:
            self._leave_out(code, skipped=role is Role.SKIP)

    def _refuse_globals(self, code: CellCode, plan: BlockPlan | None) -> None:
        for use in code.flow.globals_declared:
            self.report.error(
                "global-statement",
                code.cell,
                f"'global {use.name}' writes a variable of the notebook from inside a function.",
                f"Return the value and assign it: {use.name} = ...",
                line=use.line,
                block=plan.name if plan else None,
            )

    def _leave_out(self, code: CellCode, *, skipped: bool) -> None:
        """A cell that is not part of the pipeline; its names are remembered for messages."""
        flow = code.flow
        imported = {name for item in code.statements if item.kind.is_import for name in item.names}
        if not skipped:
            self.setup.add_imports(code, is_optional=True)
            certain = certainly_changed(code)
            for name in flow.changes:
                self.scope.touch(name, code.number, is_certain=name in certain)
        for name in dict.fromkeys((*flow.binds, *flow.maybe_binds)):
            if skipped or name not in imported:
                self.scope.bind(name, Origin.LEFT_OUT, code.number, skipped=skipped)

    def _check_splits(self) -> None:
        """What a block gives is its value at its end; nobody may have read an earlier one."""
        for block in self.blocks.values():
            for provider in block.inputs.values():
                definer = self.blocks[provider.block]
                last = definer.latest.get(provider.name, provider)
                if last is not provider and provider.origin is Origin.DATA:
                    code = self.where.codes[last.cell]
                    self.reader.report_split(definer, code, provider.name, f"block '{block.name}'")

    @cached_property
    def _words(self) -> frozenset[str]:
        """Every identifier in the notebook."""
        return frozenset(
            word for code in self.codes for word in re.findall(r"[^\W\d]\w*", code.cell.source)
        )


def _kept(codes: Sequence[CellCode], plans: Sequence[BlockPlan]) -> Mapping[str, str]:
    """Definitions of plain blocks that stay in the body, each with the data it reads."""
    plain = [plan for plan in plans if plan.function is None]
    results = {plan.name for plan in plans if plan.function is not None}
    definitions = [item for plan in plain for code in plan.cells for item in code.flow.definitions]
    data = results.union(*(data_names(plan) for plan in plain))
    texts = _definition_texts(codes)
    return kept_names(definitions, texts, data, conflicting_names(codes))


def _definition_texts(codes: Sequence[CellCode]) -> Mapping[str, set[str]]:
    """The different texts with which setup cells and plain blocks define each name."""
    texts: dict[str, set[str]] = {}
    for code in codes:
        if code.tags.role in (Role.NONE, Role.SETUP, Role.BLOCK, Role.CONTINUE):
            for statement in code.statements_of(StatementKind.DEFINITION):
                text = statement.text(code.lines)
                texts.setdefault(statement.names[0], set()).add(text)
    return texts
