"""What is said of names that are there, in a notebook, and that no block can be given."""

from __future__ import annotations

from jupyter_blocks.binding.branches import figure_names
from jupyter_blocks.binding.carried import Obstacle
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.scope import Provider, root
from jupyter_blocks.binding.uses import selects
from jupyter_blocks.binding.where import Where
from jupyter_blocks.dataflow import Use

__all__ = ["Refusals"]


class Refusals:
    """Reports them, each with its reason and a way out."""

    def __init__(self, report: Report, where: Where) -> None:
        self.report = report
        self.where = where
        self.doubtful: dict[Provider, tuple[OpenBlock, CellCode, int]] = {}
        """Values that later blocks read and that are set under a condition only: where, and the
        line of the condition."""
        self.surely_read: set[Provider] = set()
        """Values that some cell looks up under no condition."""

    def unbound(self) -> None:
        """Say which values a block may not have at its end, though it has to give them.

        Where a later cell certainly looks the name up, a notebook that runs has set it.
        """
        for provider, (block, code, line) in self.doubtful.items():
            if provider not in self.surely_read:
                self.report.error(
                    "maybe-unbound",
                    code.cell,
                    f"Block '{block.name}' sets '{provider.name}' under a condition only, and "
                    "what reads it later does so under a condition, too.",
                    f"Give '{provider.name}' a value before the condition.",
                    line=line,
                    block=block.name,
                )

    def sensor_output(self, block: OpenBlock, code: CellCode, use: Use, provider: Provider) -> None:
        """A value that only a sensor has."""
        self.report.error(
            "sensor-output",
            code.cell,
            f"{self.where.reader(block.name, capital=True)} reads '{use.name}', which the "
            f"sensor '{provider.block}' (cell {provider.cell}) sets or changes; a sensor stores "
            "nothing.",
            f"Set '{use.name}' in a loader.",
            line=use.line,
            block=block.name,
        )

    def figure(self, block: OpenBlock, code: CellCode, use: Use, provider: Provider) -> None:
        """A figure that pyplot is to go on with: it is one of those of another process."""
        line = selects(code.statements, use.name)
        if not line or not self.is_figure(use.name, provider):
            return
        self.report.error(
            "figure-crosses",
            code.cell,
            f"{self.where.reader(block.name, capital=True)} makes the figure or axes '{use.name}' "
            f"of block '{provider.block}' (cell {provider.cell}) those that pyplot draws on. "
            "pyplot of one process knows no figures of another.",
            f"Draw on it by its name, as in '{use.name}.plot(...)', or give this cell the tag "
            "'continue'.",
            line=line,
            block=block.name,
        )

    def is_figure(self, name: str, provider: Provider) -> bool:
        """Whether a cell has bound the name to a figure or axes."""
        definer = self.where.codes[root(provider).cell]
        return name in figure_names(definer.statements)

    def obstacle(
        self, block: OpenBlock, code: CellCode, use: Use, provider: Provider, obstacle: Obstacle
    ) -> None:
        """A definition of another block that sees, or does, what only a notebook has."""
        name, other = use.name, obstacle.name
        start = (
            f"{self.where.reader(block.name, capital=True)} uses '{name}', which block "
            f"'{provider.block}' (cell {provider.cell}) defines and which"
        )
        if obstacle.is_here:
            message = (
                f"{start} reads '{other}'. The cell that uses it sets or changes '{other}' itself, "
                f"which '{name}' sees in a notebook only."
            )
        elif obstacle.source is None:
            message = (
                f"{start} changes '{other}' when it is used. Each block has '{other}' for itself "
                "and would not see the change."
            )
        else:
            message = (
                f"{start} reads '{other}'. After that {self.where.provider(obstacle.source)} sets "
                f"'{other}', which '{name}' sees in a notebook only."
            )
        self.report.error(
            "nested-function",
            code.cell,
            message,
            f"Pass '{other}' as an argument of '{name}', or make the cells one block with the tag "
            "'continue'.",
            line=use.line,
            block=block.name,
        )

    def late_name(
        self, block: OpenBlock, code: CellCode, use: Use, provider: Provider, source: Provider
    ) -> None:
        """A value that knows a function, which looks up a name that was set again since."""
        self.report.error(
            "late-global",
            code.cell,
            f"'{use.name}' of block '{provider.block}' (cell {provider.cell}) holds a function "
            f"that reads '{source.name}'. After that {self.where.provider(source)} sets "
            f"'{source.name}', which the function sees in a notebook only.",
            f"Pass '{source.name}' as an argument of the function, or give the later value "
            "another name.",
            line=use.line,
            block=block.name,
        )
