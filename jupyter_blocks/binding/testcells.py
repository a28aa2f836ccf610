"""Cells tagged `test:<block>`: assertions on what a block gives, which run after it each time."""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart, TestDraft
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.reading import Reader, Reading, Strength
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.setup import Setup
from jupyter_blocks.dataflow import CellFlow, Use, is_builtin
from jupyter_blocks.settings import did_you_mean

__all__ = ["TestCells"]


class TestCells:
    """Takes up test cells."""

    __test__ = False  # its name looks like a test case to pytest

    def __init__(self, reader: Reader, setup: Setup, blocks: Mapping[str, OpenBlock]) -> None:
        self.reader = reader
        self.scope = reader.scope
        self.report = reader.report
        self.setup = setup
        self.blocks = blocks

    def add(self, code: CellCode) -> None:
        """Take up one test cell."""
        self.setup.add_imports(code)
        imports = [statement for statement in code.statements if statement.kind.is_import]
        flow = code.flow_without(imports)
        block = self._tested(code)
        if block is not None:
            reading = Reading(block, code, flow)
            for use in flow.reads:
                self._read(reading, use, Strength.MUST)
            for use in (*flow.maybe_reads, *flow.soft_reads):
                self._read(reading, use, Strength.SOFT)
            self._check(code, flow, block)
            self._keep(flow, block, CodePart(code.cell.ref, code.without(imports)))
        for name in (*flow.binds, *flow.maybe_binds):
            self.scope.bind(name, Origin.LEFT_OUT, code.number)

    def _tested(self, code: CellCode) -> OpenBlock | None:
        name = code.tags.name
        block = self.blocks.get(name)
        if block is not None and block.walked and not block.plan.is_sensor:
            return block
        message, hint = f"There is no block '{name}' to test.", did_you_mean(name, self.blocks)
        if block is not None:
            message = f"The block '{name}' comes after its test."
            hint = f"Move this cell below cell {block.plan.last_cell}."
            if block.plan.is_sensor:
                message, hint = f"The sensor '{name}' stores nothing to test.", ""
        self.report.error("bad-test", code.cell, message, hint or "Correct the tag.")
        return None

    def _read(self, reading: Reading, use: Use, strength: Strength) -> None:
        block = reading.block
        provider = self.scope.get(use.name)
        must = strength is Strength.MUST
        if provider is None:
            if is_builtin(use.name):
                block.test_names[use.name] = None
            elif must:
                self.reader.where.report_missing(reading.code, use, None)
        elif provider.origin in (Origin.IMPORT, Origin.HELPER):
            block.test_names[use.name] = provider.origin
        elif provider.origin is Origin.PARAMETER:
            block.module_parameters[use.name] = None
        elif provider.block == block.name and provider.origin in (Origin.DATA, Origin.RESULT):
            if must or self.reader.can_provide(provider):
                self.reader.need(provider)
        elif must:
            self._refuse(reading, use, provider)

    def _refuse(self, reading: Reading, use: Use, provider: Provider) -> None:
        name = reading.block.name
        if provider.origin not in (Origin.DATA, Origin.RESULT):
            self.reader.report_unusable(reading, use, provider)
            return
        self.report.error(
            "test-reads-other",
            reading.code.cell,
            f"The test of '{name}' reads '{use.name}' of "
            f"{self.reader.where.provider(provider)}; a test sees the outputs of its block only.",
            f"Give the cell the tag 'test:{provider.block}', or compute what to compare with in "
            f"'{name}'.",
            line=use.line,
            block=name,
        )

    def _check(self, code: CellCode, flow: CellFlow, block: OpenBlock) -> None:
        if flow.has_await:
            self.report.error(
                "await-in-test",
                code.cell,
                "A test cannot wait with 'await'.",
                f"Do it in block '{block.name}'.",
                block=block.name,
            )

    def _keep(self, flow: CellFlow, block: OpenBlock, part: CodePart) -> None:
        local = {*flow.binds, *flow.maybe_binds, *flow.deletes}
        read = [use.name for use in (*flow.reads, *flow.maybe_reads)]
        outside = [*block.test_names, *block.module_parameters]
        kept = tuple(name for name in read if name in local and name in outside)
        name = f"test_{block.name}"
        if block.tests:
            name = f"{name}_{len(block.tests) + 1}"
        block.tests.append(TestDraft(name, part, kept))
