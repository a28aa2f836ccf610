"""A block while its cells are being walked: what is known of it so far. Changed by `walk` only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from jupyter_blocks.binding.draft import CodePart, Edge, TestDraft
from jupyter_blocks.binding.grouping import BlockPlan
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.statements import Statement
from jupyter_blocks.dataflow import CellFlow

__all__ = ["OpenBlock"]


@dataclass(eq=False)
class OpenBlock:
    """One block; filled cell by cell."""

    plan: BlockPlan
    inputs: dict[str, Provider] = field(default_factory=dict)
    """Argument -> who provides its value, in order of first use."""
    arguments: dict[str, None] = field(default_factory=dict)
    """Parameters of the pipeline it takes as arguments."""
    module_parameters: dict[str, None] = field(default_factory=dict)
    """Parameters it reads as globals of its module."""
    module_names: dict[str, Origin | None] = field(default_factory=dict)
    """Imports, helpers and builtins (none) it reads."""
    local: set[str] = field(default_factory=set)
    """Names its body binds or deletes."""
    bound: dict[str, None] = field(default_factory=dict)
    """Data names it binds or changes, in order of the last binding."""
    latest: dict[str, Provider] = field(default_factory=dict)
    """The last thing it did to each name."""
    handed_on: set[str] = field(default_factory=set)
    """Names it takes and gives only because others share objects with them."""
    resolved: dict[str, Provider | None] = field(default_factory=dict)
    """Who provided each name when it was read first."""
    needed: dict[str, None] = field(default_factory=dict)
    """Names that others read from it."""
    is_needed_whole: bool = False
    """Whether a later block reads its result by the name of the block."""
    edges: list[Edge] = field(default_factory=list)
    parts: list[CodePart] = field(default_factory=list)
    carried: list[tuple[int, int]] = field(default_factory=list)
    """Cell and line of what was copied from other blocks; those are the first of `parts`."""
    copied: list[Statement] = field(default_factory=list)
    """The functions among that."""
    tests: list[TestDraft] = field(default_factory=list)
    test_names: dict[str, Origin | None] = field(default_factory=dict)
    """The same for its tests."""
    flows: list[CellFlow] = field(default_factory=list)
    """One for each cell, of what is left of it in the body."""
    body: list[Statement] = field(default_factory=list)
    """Statements that are left in the body, of all its cells."""
    current: frozenset[str] = frozenset()
    """Names that are still its own at its end, in the notebook."""
    walked: int = 0
    """Number of the last of its cells that was walked; 0: none yet."""

    @property
    def name(self) -> str:
        """Name of the block."""
        return self.plan.name

    def use_helpers(self, names: Iterable[str]) -> None:
        """Note that the block needs these helpers, unless its names are known already."""
        for name in names:
            self.module_names.setdefault(name, Origin.HELPER)

    def bind(self, provider: Provider) -> None:
        """Note that the block gave a name the value that `provider` stands for."""
        self.latest[provider.name] = provider
        self.bound.pop(provider.name, None)
        self.bound[provider.name] = None
