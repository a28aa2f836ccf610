"""Decorated blocks: one function with a decorator, exported as it is.

Its arguments name what it needs: an earlier block, an output of one, or a parameter. Inside it, the
notebook's data cannot be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_blocks.binding.blockfunction import DECORATORS, Argument, BlockFunction
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.reading import Reader, Reading, Strength
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.setup import Setup
from jupyter_blocks.binding.statements import Statement, StatementKind
from jupyter_blocks.dataflow import Use, is_builtin

__all__ = ["DecoratedBlocks"]

_MOVED = (StatementKind.FUTURE, StatementKind.IMPORT, StatementKind.STAR_IMPORT)


class DecoratedBlocks:
    """Takes up the cells of decorated blocks."""

    def __init__(self, reader: Reader, setup: Setup, blocks: Mapping[str, OpenBlock]) -> None:
        self.reader = reader
        self.scope = reader.scope
        self.report = reader.report
        self.setup = setup
        self.blocks = blocks

    def add(self, block: OpenBlock, code: CellCode, function: BlockFunction) -> None:
        """Take up the one cell of a decorated block."""
        self._add_imports(code)
        moved = code.statements_of(*_MOVED)
        flow = code.flow_without(moved)
        reading = Reading(block, code, flow)
        self._refuse_code(block, code)
        self._bind_arguments(reading, function)
        own = {*flow.binds, *flow.maybe_binds}
        self._read_globals(reading, own)
        for name in own:
            self.scope.bind(name, Origin.MODULE, code.number, block=block.name)
        self.scope.bind(block.name, Origin.RESULT, code.number, block=block.name)
        block.parts.append(CodePart(code.cell.ref, code.without(moved)))
        block.flows.append(flow)
        block.local.update(own)
        block.walked = code.number

    def _add_imports(self, code: CellCode) -> None:
        for statement in code.statements_of(*_MOVED):
            for name in self.setup.imports.add(code, statement):
                self.scope.bind(name, Origin.IMPORT, code.number)

    def _refuse_code(self, block: OpenBlock, code: CellCode) -> None:
        for statement in code.statements_of(StatementKind.CODE):
            self.report.error(
                "decorated-extra",
                code.cell,
                f"The cell of the decorated block '{block.name}' holds other code, which would "
                "run whenever its file is loaded.",
                "Move it to a cell of its own.",
                line=statement.first,
                block=block.name,
            )

    # arguments

    def _bind_arguments(self, reading: Reading, function: BlockFunction) -> None:
        unknown = []
        for argument in function.arguments:
            if argument.by_position_only:
                self._by_position_only(reading, function, argument)
            elif not self._bind_by_name(reading, function, argument) and not argument.has_default:
                unknown.append(argument)
        by_tag = [self._by_tag(name) for name in reading.block.plan.upstream]
        if unknown and all(argument.is_positional for argument in unknown):
            known = [provider for provider in by_tag if provider is not None]
            if len(known) == len(by_tag) == len(unknown):
                self._bind_in_order(reading, function, unknown, known)
                return
        for argument in unknown:
            self._unknown_argument(reading, function, argument)

    def _bind_by_name(self, reading: Reading, function: BlockFunction, argument: Argument) -> bool:
        use = Use(argument.name, function.node.lineno)
        provider = self._named(reading, use)
        if provider is None:
            return False
        if provider.origin is Origin.PARAMETER:
            reading.block.arguments[argument.name] = None
        else:
            self._take(reading, use, provider, argument.name)
        return True

    def _named(self, reading: Reading, use: Use) -> Provider | None:
        """What an argument names: a value or a whole block, whichever came last; a parameter."""
        value = self.reader.visible(reading, use, Strength.MUST)
        if value is not None and value.origin not in (
            Origin.DATA,
            Origin.RESULT,
            Origin.PARAMETER,
        ):
            value = None
        whole = self._by_tag(use.name)
        if value is None or whole is None:
            return value or whole
        if value.block == use.name:
            return value
        return value if value.cell > whole.cell else whole

    def _by_tag(self, name: str) -> Provider | None:
        """The result of an earlier block, by the name of the block."""
        block = self.blocks.get(name)
        if block is None or not block.walked:
            return None
        return Provider(name, Origin.RESULT, block.walked, name)

    def _bind_in_order(
        self,
        reading: Reading,
        function: BlockFunction,
        arguments: Sequence[Argument],
        providers: Sequence[Provider],
    ) -> None:
        for argument, provider in zip(arguments, providers, strict=True):
            use = Use(provider.name, function.node.lineno)
            self._take(reading, use, provider, argument.name)

    def _take(self, reading: Reading, use: Use, provider: Provider, argument: str) -> None:
        if self.blocks[provider.block].plan.is_sensor:
            self.report.error(
                "sensor-output",
                reading.code.cell,
                f"The argument '{argument}' of block '{reading.block.name}' names the sensor "
                f"'{provider.block}' (cell {provider.cell}); a sensor stores nothing.",
                f"Remove the argument, and give the cell the tag 'upstream:{provider.block}'.",
                line=use.line,
                block=reading.block.name,
            )
            return
        self.reader.take(reading, use, provider, argument)

    def _by_position_only(
        self, reading: Reading, function: BlockFunction, argument: Argument
    ) -> None:
        self.report.error(
            "positional-only",
            reading.code.cell,
            f"The argument '{argument.name}' of '{function.name}' can be given by position only; "
            "the arguments of a block are given by name.",
            "Remove the '/'.",
            line=function.node.lineno,
            block=reading.block.name,
        )

    def _unknown_argument(
        self, reading: Reading, function: BlockFunction, argument: Argument
    ) -> None:
        known = [name for name, block in self.blocks.items() if block.walked]
        parameters = list(self.setup.parameters)
        values = [name for block in self.blocks.values() for name in block.bound]
        names = ", ".join(dict.fromkeys((*known, *values, *parameters))) or "none"
        self.report.error(
            "unknown-argument",
            reading.code.cell,
            f"The argument '{argument.name}' of '{function.name}' names no earlier block, no value "
            "of one and no parameter.",
            f"Known above this cell: {names}.",
            line=function.node.lineno,
            block=reading.block.name,
        )

    # names read as globals

    def _read_globals(self, reading: Reading, own: set[str]) -> None:
        seen: dict[str, int] = {}
        for use in (*reading.flow.reads, *reading.flow.maybe_reads):
            seen.setdefault(use.name, use.line)
        for statement in reading.code.statements_of(StatementKind.DEFINITION):
            for name in sorted(_free(reading.code, statement)):
                seen.setdefault(name, statement.first)
        for name, line in seen.items():
            if name not in own:
                self._read_global(reading, Use(name, line))
        for use in reading.flow.soft_reads:
            provider = self.scope.get(use.name)
            if provider is not None and provider.origin is Origin.HELPER:
                reading.block.module_names[use.name] = provider.origin

    def _read_global(self, reading: Reading, use: Use) -> None:
        block = reading.block
        provider = self.reader.visible(reading, use, Strength.MUST)
        if provider is None:
            if is_builtin(use.name):
                block.module_names[use.name] = None
            elif use.name not in _decorator_names(reading):
                self.reader.where.report_missing(reading.code, use, block.name)
        elif provider.origin in (Origin.IMPORT, Origin.HELPER):
            block.module_names[use.name] = provider.origin
        elif provider.origin is Origin.PARAMETER:
            block.module_parameters[use.name] = None
        elif provider.origin in (Origin.DATA, Origin.RESULT):
            self._global_data(reading, use, provider)
        else:
            self.reader.report_unusable(reading, use, provider)

    def _global_data(self, reading: Reading, use: Use, provider: Provider) -> None:
        self.report.error(
            "global-data",
            reading.code.cell,
            f"The decorated block '{reading.block.name}' reads '{use.name}' of "
            f"{self.reader.where.provider(provider)} as a global variable.",
            f"Add '{use.name}' as an argument.",
            line=use.line,
            block=reading.block.name,
        )


def _free(code: CellCode, statement: Statement) -> frozenset[str]:
    definition = code.definitions[statement.names[0]]
    return definition.free - {definition.name}


def _decorator_names(reading: Reading) -> frozenset[str]:
    """Names of decorators, which are imported as needed."""
    return frozenset(
        name.partition(".")[0]
        for definition in reading.code.definitions.values()
        for name in definition.decorators
        if name in DECORATORS
    )
