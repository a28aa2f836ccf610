"""What a block's reads bind to: the last earlier cell that binds a name or may change its value.

Each read becomes an input, a parameter, a name of the module, or a problem that says which cell has
the name and what to do. Who is read from learns what it has to give.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from jupyter_blocks.binding.aliases import Aliases
from jupyter_blocks.binding.branches import asks_what_was_learned, bound_above, bound_in_branch
from jupyter_blocks.binding.carried import Carried
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import Edge
from jupyter_blocks.binding.imports import Imports
from jupyter_blocks.binding.latereads import LateReads
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.refusals import Refusals
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.scope import Origin, Provider, Scope
from jupyter_blocks.binding.together import Group, Together
from jupyter_blocks.binding.uses import needed_by_condition
from jupyter_blocks.binding.where import Where
from jupyter_blocks.dataflow import CellFlow, Use, is_builtin

__all__ = ["Reader", "Reading", "Strength"]


class Strength(IntEnum):
    """How sure it is that a name is read."""

    SOFT = 0
    """Found in a string; an input if there is such a value, never a mistake."""
    MAYBE = 1
    """Read where the block may not have bound it itself."""
    MUST = 2


@dataclass(frozen=True)
class Reading:
    """One cell of a block that reads."""

    block: OpenBlock
    code: CellCode
    flow: CellFlow
    """Of what is left of the cell in the body."""
    shared: list[tuple[str, str]] = field(default_factory=list)
    """Names that may stand for one object after the cell, found on the way."""

    def kind_of(self, name: str) -> str:
        """What the cell does with `name`: `read`, `rebind` or `change`."""
        if name in self.flow.binds or name in self.flow.maybe_binds:
            return "rebind"
        return "change" if name in self.flow.changes else "read"


class Reader:
    """Connects reads with providers, as far as the notebook has been walked."""

    def __init__(
        self,
        scope: Scope,
        report: Report,
        where: Where,
        blocks: Mapping[str, OpenBlock],
        aliases: Aliases,
        imports: Imports,
        groups: Collection[Group] = (),
    ) -> None:
        self.scope = scope
        self.together = Together(scope, groups)
        self.aliases = aliases
        self.imports = imports
        self.carried = Carried(scope)
        self.late = LateReads(scope, self.carried)
        self.report = report
        self.where = where
        self.blocks = blocks
        self.refusals = Refusals(report, where)

    def read(self, reading: Reading, use: Use, strength: Strength) -> None:
        """Bind one read of a block."""
        block = reading.block
        provider = self.visible(reading, use, strength)
        if provider is not None and provider.is_of(block.name):
            if strength is Strength.MUST:
                self.check_untouched(reading.code, use, provider, block.name)
            if not provider.maybe:
                return
            provider = _before_own(provider, block.name)
            strength = min(strength, Strength.MAYBE)
            if provider is None:
                return
        elif self._is_split(reading, use, provider, strength):
            return
        block.resolved.setdefault(use.name, provider)
        if strength is Strength.MAYBE and self._is_needed(reading, use, provider):
            strength = Strength.MUST
        self._connect(reading, use, provider, strength)

    def _is_needed(self, reading: Reading, use: Use, provider: Provider | None) -> bool:
        """Whether a name may be needed from before which may not be there.

        A name that the block binds in a loop is not: some value was there to loop over.
        """
        if provider is None or self.can_provide(provider):
            return False
        return not bound_above(reading.code.statements, use.name, use.line)

    def visible(self, reading: Reading, use: Use, strength: Strength) -> Provider | None:
        """Who provides the name, seen past cells that were skipped on purpose."""
        provider = self.scope.get(use.name)
        while provider is not None and provider.skipped and provider.before is not None:
            if strength is Strength.MUST:
                self.report.warning(
                    "skipped-binding",
                    reading.code.cell,
                    f"{self.where.cell(provider.cell)} also sets '{use.name}', which "
                    f"{self.where.reader(reading.block.name)} reads. The pipeline takes it from "
                    f"{self.where.provider(provider.before)}.",
                    "Remove the tag 'skip' if that is not what you want.",
                    line=use.line,
                    block=reading.block.name,
                )
            provider = provider.before
        if provider is not None and provider.origin is Origin.DELETED and is_builtin(use.name):
            return None  # `del list` brings the builtin back
        return provider

    def take(self, reading: Reading, use: Use, provider: Provider, argument: str = "") -> None:
        """Make what `provider` stands for an input of the block."""
        block = reading.block
        block.inputs.setdefault(argument or use.name, provider)
        self._add_edge(reading, use, provider, Strength.MUST)
        self.need(provider)

    def need(self, provider: Provider) -> None:
        """Note that the block of `provider` has to give the name."""
        block = self.blocks[provider.block]
        if provider.origin is Origin.RESULT:
            block.is_needed_whole = True
        elif provider.name not in block.needed:
            block.needed[provider.name] = None
            if provider.maybe:
                self._provide_before(block, provider)

    def can_provide(self, provider: Provider | None) -> bool:
        """Whether the name certainly has a value there."""
        while provider is not None:
            if provider.origin in (Origin.DELETED, Origin.LEFT_OUT, Origin.NESTED, Origin.MODULE):
                return False
            if provider.block and self.blocks[provider.block].plan.is_sensor:
                return False
            if not provider.maybe:
                return True
            provider = provider.before
        return False

    def _connect(
        self, reading: Reading, use: Use, provider: Provider | None, strength: Strength
    ) -> None:
        block = reading.block
        if provider is not None and strength is Strength.MUST:
            self.check_untouched(reading.code, use, provider, reading.block.name)
        if provider is not None and self.scope.outdated(provider):
            self.warn_of_alias(reading.code, use, provider)
        match provider.origin if provider else None:
            case None:
                self._absent(reading, use, strength)
            case Origin.IMPORT | Origin.HELPER as origin:
                block.module_names[use.name] = origin
            case Origin.PARAMETER:
                block.arguments[use.name] = None
            case Origin.DATA | Origin.RESULT if provider:
                self._take_data(reading, use, provider, strength)
            case Origin.NESTED if provider and self.carried.can_carry(provider):
                self._carry(reading, use, provider, strength)
            case Origin.NESTED if provider and self._is_given(provider, strength, reading.code):
                self._give(reading, use, provider)
            case _ if provider and strength is Strength.MUST:
                self.report_unusable(reading, use, provider)

    def _absent(self, reading: Reading, use: Use, strength: Strength) -> None:
        """A name that no earlier cell binds."""
        if is_builtin(use.name):
            if use.name == "get_ipython" and strength is Strength.MUST:
                self.report.error(
                    "no-ipython",
                    reading.code.cell,
                    f"{self.where.reader(reading.block.name, capital=True)} calls get_ipython(), "
                    "which exists in a notebook only.",
                    "Use a function of a library instead.",
                    line=use.line,
                    block=reading.block.name,
                )
            reading.block.module_names[use.name] = None
        elif strength is Strength.MUST:
            self.where.report_missing(reading.code, use, reading.block.name)

    def _take_data(
        self, reading: Reading, use: Use, provider: Provider, strength: Strength
    ) -> None:
        definer = self.blocks[provider.block]
        if definer.plan.is_sensor:
            if strength is Strength.MUST:
                self.refusals.sensor_output(reading.block, reading.code, use, provider)
            return
        if strength is not Strength.MUST and not self.can_provide(provider):
            return
        if strength is Strength.MUST:
            self.refusals.figure(reading.block, reading.code, use, provider)
            if source := self.late.outdated(provider):
                self.refusals.late_name(reading.block, reading.code, use, provider, source)
        shared = self.aliases.of(provider) if provider.block != reading.block.name else None
        if shared is not None:
            self.read(reading, Use(shared.base, use.line), strength)
            self.carried.add(reading.block, shared.key, shared.part, use.name)
            return
        statements = reading.code.statements
        if strength is Strength.MUST and not needed_by_condition(statements, use.name):
            self.refusals.surely_read.add(provider)
        reading.block.inputs.setdefault(use.name, provider)
        self._add_edge(reading, use, provider, strength)
        self.need(provider)

    def _carry(self, reading: Reading, use: Use, provider: Provider, strength: Strength) -> None:
        """A function that stays in its block: its text comes along, and what it reads."""
        self.carried.carry(reading.block, provider)
        if strength is Strength.SOFT:  # nobody has seen yet what it reads
            for name in self.carried.free(provider):
                self.read(reading, Use(name, use.line), Strength.SOFT)

    def _is_given(self, provider: Provider, strength: Strength, code: CellCode) -> bool:
        return strength is not Strength.SOFT and self.carried.obstacle(provider, code) is None

    def _give(self, reading: Reading, use: Use, provider: Provider) -> None:
        """A class, say, that stays in its block: the block gives it as it gives other values.

        It takes along what it reads, so that its block has to have all of that.
        """
        definer, code = self.blocks[provider.block], self.where.codes[provider.cell]
        for name in self.carried.free(provider):
            source = self.scope.get(name)
            if source is not None and not source.is_of(definer.name):
                line = self.carried.line(provider)
                self._connect(
                    Reading(definer, code, code.flow), Use(name, line), source, Strength.MUST
                )
        definer.bound.setdefault(provider.name)
        definer.latest.setdefault(provider.name, provider)
        self.take(reading, use, provider)

    def _add_edge(self, reading: Reading, use: Use, provider: Provider, strength: Strength) -> None:
        edge = Edge(
            use.name,
            reading.block.name,
            reading.code.number,
            use.line,
            provider.block,
            provider.cell,
            reading.kind_of(use.name),
            strength is Strength.SOFT,
        )
        if edge not in reading.block.edges:
            reading.block.edges.append(edge)

    def _provide_before(self, block: OpenBlock, provider: Provider) -> None:
        """A name that the block may leave unbound has to come in as well."""
        before = _before_own(provider, block.name)
        code = self.where.codes[provider.cell]
        if not self.can_provide(before):
            if is_builtin(provider.name) and before is None:
                block.module_names[provider.name] = None
            elif line := bound_in_branch(code.statements, provider.name):
                self.refusals.doubtful[provider] = (block, code, line)
            return
        use = Use(provider.name, 1)
        self._connect(Reading(block, code, code.flow), use, before, Strength.MAYBE)

    def _is_split(
        self, reading: Reading, use: Use, provider: Provider | None, strength: Strength
    ) -> bool:
        """Whether cells of other blocks between those of this one make it impossible to join them.

        Then the cells of the block would see two different values of one name.
        """
        block = reading.block
        differs = use.name in block.resolved and not self._is_same(
            use.name, block.resolved[use.name], provider
        )
        if not (differs or use.name in block.latest):
            return False
        if strength is Strength.MUST:
            other = self.where.provider(provider) if provider else "another cell"
            self.report_split(block, reading.code, use.name, other, use.line)
        return True

    def _is_same(self, name: str, one: Provider | None, other: Provider | None) -> bool:
        """Whether two cells give a name the same meaning: one module imported twice, say."""
        if one is other or one is None or other is None:
            return one is other
        origins = {one.origin, other.origin}
        if origins == {Origin.IMPORT}:
            return name not in self.imports.conflicts
        return origins == {Origin.HELPER}  # the shared module has one of each name

    def report_split(
        self,
        block: OpenBlock,
        code: CellCode,
        name: str,
        other: str,
        line: int | None = None,
    ) -> None:
        """Say that the cells of `block` cannot be joined, since `other` uses `name` in between."""
        self.report.error(
            "split-block",
            code.cell,
            f"The cells of block '{block.name}' cannot run in one go: between them {other} "
            f"reads or sets '{name}'.",
            "Give the cells different names, or move them together.",
            line=line,
            block=block.name,
        )

    def check_untouched(
        self, code: CellCode, use: Use, provider: Provider, block: str | None = None
    ) -> None:
        """A cell in between that is not part of the pipeline may have changed the value."""
        reader = self.where.reader(block) if block else f"cell {code.number}"
        for cell, is_certain in self.scope.touched(provider):
            add = self.report.error if is_certain else self.report.warning
            verb = "changes" if is_certain else "may change"
            add(
                "changed-by-untagged",
                code.cell,
                f"{self.where.cell(cell)} {verb} '{use.name}', which {reader} reads.",
                f"{self.where.advice(cell)} If it need not run, give it the tag 'skip'.",
                line=use.line,
                block=block,
            )

    def warn_of_alias(self, code: CellCode, use: Use, provider: Provider) -> None:
        """Say that `provider` was changed through another name, which only a notebook can see."""
        changed = self.scope.outdated(provider)
        if changed is None:
            return
        self.together.note_parted(provider, changed, code.number)
        is_sure = self.scope.is_surely_outdated(provider) or (
            self.aliases.is_estimator(provider.name)
            and asks_what_was_learned(code.statements, provider.name)
        )
        one, other = provider.name, changed.name
        add = self.report.error if is_sure else self.report.warning
        add(
            "alias",
            code.cell,
            f"'{one}' and '{other}' {'share an object' if is_sure else 'may be one object'} in the "
            f"notebook, and a block changes it through '{other}'. Blocks have copies of their own, "
            f"so that '{one}' {'would keep' if is_sure else 'keeps'} its value here.",
            f"Where one is set from the other (cells {changed.cell}, {provider.cell}), write "
            "a copy, as in y = x.copy(), or make the cells one block with the tag 'continue'.",
            line=use.line,
        )

    def report_unusable(self, reading: Reading, use: Use, provider: Provider) -> None:
        """Say why a block cannot read what `provider` stands for."""
        if provider.origin is Origin.NESTED:
            obstacle = self.carried.obstacle(provider, reading.code)
            if obstacle is not None:
                self.refusals.obstacle(reading.block, reading.code, use, provider, obstacle)
                return
        reader = self.where.reader(reading.block.name)
        code, message, hint = self.where.unusable(use.name, reader, reading.code, use, provider)
        self.report.error(
            code, reading.code.cell, message, hint, line=use.line, block=reading.block.name
        )


def _before_own(provider: Provider, block: str) -> Provider | None:
    """Who provided the name before the block touched it."""
    before: Provider | None = provider
    while before is not None and (before.is_of(block) or before.skipped):
        before = before.before
    return before
