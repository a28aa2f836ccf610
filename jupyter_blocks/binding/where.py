"""Words for messages: which cell or block it was, who reads, what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import Style
from jupyter_blocks.binding.grouping import BlockPlan
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.statements import StatementKind
from jupyter_blocks.binding.uses import needed_by_condition, only_tried
from jupyter_blocks.dataflow import Use
from jupyter_blocks.tags import Role

__all__ = ["Where"]

_SESSION_NAME = re.compile(r"In|Out|_{1,3}|_\d+|_i{1,3}|_i\d+|_[ido]h")
"""Names that IPython gives to inputs and outputs."""
_FILLING = re.compile(r"^[ \t]*%(pylab|run|loadpy|store[ \t]+-r)\b", re.MULTILINE)
"""Commands after which the notebook has names that no cell shows."""

_GLOBAL = re.compile(r"^[ \t]+global[ \t]+([\w, ]+)$", re.MULTILINE)


class Where:
    """Knows all cells and blocks of a notebook, earlier and later ones."""

    def __init__(
        self, codes: Sequence[CellCode], plans: Sequence[BlockPlan], report: Report
    ) -> None:
        self.codes: Mapping[int, CellCode] = {code.number: code for code in codes}
        self.plans = plans
        self.report = report
        self._plan_of = {code.number: plan for plan in plans for code in plan.cells}

    def plan_of(self, number: int) -> BlockPlan | None:
        """The block that cell `number` belongs to."""
        return self._plan_of.get(number)

    def cell(self, number: int) -> str:
        """`Cell 7 (no block tag)`, `Cell 3 (block 'load')`."""
        plan = self._plan_of.get(number)
        if plan is not None:
            return f"Cell {number} (block '{plan.name}')"
        word = self.codes[number].tags.word
        return f"Cell {number} (tag '{word}')" if word else f"Cell {number} (no block tag)"

    def provider(self, provider: Provider) -> str:
        """`block 'load' (cell 3)`, or the cell alone."""
        if provider.block:
            return f"block '{provider.block}' (cell {provider.cell})"
        return f"c{self.cell(provider.cell)[1:]}"

    def reader(self, block: str, *, capital: bool = False) -> str:
        """`block 'clean'`."""
        return f"Block '{block}'" if capital else f"block '{block}'"

    def advice(self, number: int) -> str:
        """How to make a cell part of the pipeline."""
        code = self.codes[number]
        if code.tags.role is Role.TEST:
            return "Use another name in the test."
        kinds = {statement.kind for statement in code.statements}
        is_constant = bool(kinds) and kinds <= {StatementKind.CONSTANT, StatementKind.TEXT}
        if is_constant and not self._reads_data(code):
            return f"Give cell {number} the tag 'parameters' or 'imports'."
        if StatementKind.DEFINITION in kinds and StatementKind.CODE not in kinds:
            return f"Give cell {number} the tag 'functions'."
        advice = f"Tag cell {number}"
        above = [plan for plan in self.plans if plan.first_cell < number]
        if above and above[-1].style is Style.PLAIN:
            return f"{advice}, or give it the tag 'continue' to join block '{above[-1].name}'."
        return f"{advice}, for example 'loader'."

    def _reads_data(self, code: CellCode) -> bool:
        """Whether the cell reads what a block sets: then it computes, however plain it looks."""
        reads = {use.name for use in (*code.flow.reads, *code.flow.maybe_reads)}
        return any(
            not reads.isdisjoint(other.flow.binds)
            for plan in self.plans
            for other in plan.cells
            if other.number < code.number
        )

    def report_missing(self, code: CellCode, use: Use, block: str | None) -> None:
        """A name is read that no earlier cell binds."""
        if use.name in self._broken_words:
            return  # the cell that is no valid Python has been reported already
        if self.is_filled_above(code) or self._is_set_by_global(use.name):
            return  # that has been reported, with what to do
        reader = self.reader(block, capital=True) if block else f"Cell {code.number}"
        if _SESSION_NAME.fullmatch(use.name) and use.name not in self._binders:
            self.report.error(
                "no-ipython",
                code.cell,
                f"{reader} reads '{use.name}', which belongs to the session of a notebook: what "
                "was typed or shown before.",
                "Give the value a name in the cell that computes it, and read that.",
                line=use.line,
                block=block,
            )
            return
        later = [number for number in self._binders.get(use.name, ()) if number > code.number]
        if later:
            self.report.error(
                "bound-later",
                code.cell,
                f"{reader} reads '{use.name}', which only {self._later(later[0])} sets. Blocks "
                "run in the order of the notebook.",
                f"Move cell {later[0]} up.",
                line=use.line,
                block=block,
            )
            return
        if needed_by_condition(code.statements, use.name):
            self.report.warning(
                "undefined-name",
                code.cell,
                f"{reader} reads '{use.name}' under a condition, and no cell above sets it.",
                "If it is ever needed there, the block fails as the cell does.",
                line=use.line,
                block=block,
            )
            return
        if use.name not in self._binders and only_tried(code.statements, use.name):
            self.report.warning(
                "undefined-name",
                code.cell,
                f"{reader} tries to read '{use.name}', which no cell sets.",
                "The exception is caught there, in the notebook as in the block.",
                line=use.line,
                block=block,
            )
            return
        near = _near(use.name, self._bound)
        itself = " before it sets it" if use.name in self._binders else ", which no cell sets"
        self.report.error(
            "undefined-name",
            code.cell,
            f"{reader} reads '{use.name}'{itself}.",
            f"Did you mean '{near}'?" if near else "Set it in a cell above, or correct it.",
            line=use.line,
            block=block,
        )

    def is_filled_above(self, code: CellCode) -> bool:
        """Whether `%pylab`, say, may have set any name by then; that is reported instead."""
        above = (other for other in self.codes.values() if other.number <= code.number)
        filling = [other for other in above if _FILLING.search(other.cell.source)]
        for other in filling:
            self.report.extend(other.set_aside)
        is_filled = bool(filling) and self.report.has_said("magic")
        return is_filled or self.report.has_said("star-import")

    def unusable(
        self, name: str, reader: str, code: CellCode, use: Use, provider: Provider
    ) -> tuple[str, str, str]:
        """Problem code, message and hint for a name that is there but cannot be read."""
        place = f"(cell {code.number}, line {use.line})"
        if provider.origin is Origin.LEFT_OUT:
            message = f"{self.cell(provider.cell)} sets '{name}', which {reader} {place} reads."
            return "left-out-name", message, self.advice(provider.cell)
        if provider.origin is Origin.DELETED:
            message = f"{_capital(reader)} reads '{name}', which cell {provider.cell} deletes."
            return "deleted-name", message, "Remove that 'del'."
        if provider.origin is Origin.NESTED:
            return "nested-function", *self._nested(name, reader, provider)
        return "decorated-name", *self._of_decorated(name, reader, provider)

    def _nested(self, name: str, reader: str, provider: Provider) -> tuple[str, str]:
        start = f"{_capital(reader)} uses '{name}', which block '{provider.block}' (cell "
        if provider.detail:
            message = f"{start}{provider.cell}) defines and which reads '{provider.detail}'."
            hint = f"Pass '{provider.detail}' as an argument of '{name}'"
            return message, f"{hint}, or move both to a cell with the tag 'functions'."
        message = f"{start}{provider.cell}) defines in its own way; other cells define it too."
        return message, "Give the definitions different names, or keep one, in a setup cell."

    def _of_decorated(self, name: str, reader: str, provider: Provider) -> tuple[str, str]:
        message = (
            f"{_capital(reader)} uses '{name}', which is defined in the cell of the decorated "
            f"block '{provider.block}' (cell {provider.cell})."
        )
        plan = self._plan_of[provider.cell]
        if plan.function and plan.function.name == name:
            return message, f"Its result is called '{provider.block}'."
        return message, "Move it to a cell of its own with the tag 'functions'."

    def _later(self, number: int) -> str:
        plan = self._plan_of.get(number)
        return f"block '{plan.name}' (cell {number})" if plan else f"cell {number}"

    @cached_property
    def _binders(self) -> Mapping[str, list[int]]:
        """Numbers of the cells that bind each name."""
        found: dict[str, list[int]] = {}
        for code in self.codes.values():
            for name in _bound_names(code):
                found.setdefault(name, []).append(code.number)
        for plan in self.plans:
            if plan.style is Style.DECORATED:
                found.setdefault(plan.name, []).append(plan.first_cell)
        return found

    @cached_property
    def _bound(self) -> frozenset[str]:
        return frozenset(self._binders)

    def _is_set_by_global(self, name: str) -> bool:
        """Whether a function sets the name by `global`, which was refused."""
        if not self.report.has_said("global-statement"):
            return False
        found = (_GLOBAL.findall(code.cell.source) for code in self.codes.values())
        return any(name in re.split(r"\W+", names) for lines in found for names in lines)

    @cached_property
    def _broken_words(self) -> frozenset[str]:
        """Identifiers in cells of the pipeline that are not valid Python."""
        return frozenset(
            word
            for code in self.codes.values()
            if not code.is_valid and code.tags.role not in (Role.NONE, Role.SKIP)
            for word in re.findall(r"[^\W\d]\w*", code.cell.source)
        )


@lru_cache(maxsize=256)
def _near(name: str, others: frozenset[str]) -> str:
    """The name among `others` that was probably meant; empty if none is like it."""
    return next(iter(get_close_matches(name, others - {name}, n=1)), "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bound_names(code: CellCode) -> Iterable[str]:
    flow = code.flow
    imported = (found.name for found in flow.imports)
    return dict.fromkeys((*flow.binds, *flow.maybe_binds, *imported))
