"""Where the analysis of a notebook collects what is wrong, each with its cell and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jupyter_blocks.errors import Problem, Severity
from jupyter_blocks.notebook import Cell

__all__ = ["Report"]


class Report:
    """The problems of one notebook; each is kept once."""

    def __init__(self, notebook: str) -> None:
        self.notebook = notebook
        self._problems: dict[Problem, None] = {}

    def copy(self) -> Report:
        """Another report that begins with the problems of this one."""
        copied = Report(self.notebook)
        copied.extend(self._problems)
        return copied

    def error(
        self,
        code: str,
        cell: Cell,
        message: str,
        hint: str = "",
        *,
        line: int | None = None,
        block: str | None = None,
    ) -> None:
        """Note a mistake that keeps the notebook from being exported."""
        self._add("error", code, cell, message, hint, line, block)

    def warning(
        self,
        code: str,
        cell: Cell,
        message: str,
        hint: str = "",
        *,
        line: int | None = None,
        block: str | None = None,
    ) -> None:
        """Note something that may not be what was meant."""
        self._add("warning", code, cell, message, hint, line, block)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems found elsewhere."""
        self._problems.update(dict.fromkeys(problems))

    def extend_for(self, cell: Cell, problems: Iterable[Problem]) -> None:
        """Note problems of a cell that do not know it yet."""
        place: dict[str, Any] = {"notebook": self.notebook, "cell": cell.number, "cell_id": cell.id}
        self.extend(replace(problem, **place) for problem in problems)

    def has_said(self, code: str) -> bool:
        """Whether a problem of this kind was noted."""
        return any(problem.code == code for problem in self._problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in the order of cells and lines."""
        return tuple(
            sorted(
                self._problems,
                key=lambda item: (item.cell or 0, item.line or 0, item.severity, item.code),
            )
        )

    def _add(
        self,
        severity: Severity,
        code: str,
        cell: Cell,
        message: str,
        hint: str,
        line: int | None,
        block: str | None,
    ) -> None:
        problem = Problem(
            code,
            message,
            hint,
            severity,
            block=block,
            notebook=self.notebook,
            cell=cell.number,
            cell_id=cell.id,
            line=line,
        )
        self._problems.setdefault(problem)
