"""What the steps of a proposal hand to each other: cells, work, groups, and in the end the tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jupyter_blocks.block import BlockType
from jupyter_blocks.suggest.facts import Call, CellFacts
from jupyter_blocks.tags import CellTags

__all__ = ["Group", "Hints", "Placed", "Proposal", "SuggestCell", "Work", "listed"]

_MOST_NAMES = 4
"""Names that a reason lists; further ones are counted."""


@dataclass(frozen=True)
class SuggestCell:
    """One code cell of a notebook, as the proposals need it."""

    index: int
    """Whatever tells the caller which cell it is; it comes back in the proposal."""
    source: str
    headings: tuple[str, ...] = ()
    """Titles of the sections it stands in, the outermost first."""
    tags: CellTags = field(default_factory=CellTags)
    """What its own tags say; a cell with a role of its own gets no proposal."""
    may_raise: bool = False
    """Whether it has the tag of Jupyter for cells that are meant to fail."""


@dataclass(frozen=True)
class Proposal:
    """A tag for one cell."""

    index: int
    tag: str
    reason: str
    """One sentence."""


@dataclass(frozen=True)
class Hints:
    """What a look at the finished proposal taught: indexes of cells."""

    glued: Mapping[int, str] = field(default_factory=dict)
    """Cells that have to go on with the block above, if they are part of a block, and why."""
    no_setup: frozenset[int] = frozenset()
    """Cells that cannot be setup or parameters."""
    constants: frozenset[str] = frozenset()
    """Names that setup cells need, so that no run can choose them."""
    kept: frozenset[int] = frozenset()
    """Cells that cannot be skipped."""
    no_tests: frozenset[int] = frozenset()
    """Cells that only assert something, but cannot be tests of a block."""
    keeps_shows: bool = False
    """Whether cells that show something without any data are kept: there is nothing else."""


@dataclass(frozen=True)
class Work:
    """A cell that is part of a block, and what it does with the data of the notebook."""

    cell: SuggestCell
    facts: CellFacts
    made: tuple[str, ...] = ()
    """Values it binds that later cells read; all it binds where they read none."""
    changed: tuple[str, ...] = ()
    """Values of earlier blocks that it changes or binds anew."""
    read: tuple[str, ...] = ()
    """Values of earlier blocks that it reads."""
    readings: tuple[Call, ...] = ()
    """Calls that read outside data."""
    writings: tuple[Call, ...] = ()
    """Calls that write data out."""
    acts: tuple[str, ...] = ()
    """Functions it calls for what they do: they may change something, as far as can be seen."""
    draws: bool = False
    prints: bool = False
    gives: bool = False
    """Whether later cells read something it binds or changes."""
    later: frozenset[str] = frozenset()
    """Names that cells below it read before they bind them."""
    why: str = ""
    """Why it goes on with the block above, which is called `{block}`."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it binds or changes."""
        return tuple(dict.fromkeys((*self.made, *self.changed)))

    @property
    def is_look(self) -> bool:
        """Whether it only draws or shows something."""
        return not (self.names or self.readings or self.writings or self.acts)


@dataclass(eq=False)
class Group:
    """The cells that make one block."""

    works: list[Work]
    setups: list[CellFacts] = field(default_factory=list)
    """Setup cells between the last cell of the block above and its own last cell."""
    tested: set[str] = field(default_factory=set)
    """Names that tests of the block above deal with, which stand above this one."""
    type: BlockType | None = None
    """Type that the notebook gives it."""
    is_own: bool = False
    """Whether its first cell has a tag of the notebook, which stays as it is."""
    is_closed: bool = False
    """Whether no cell can join it: a decorated function."""
    name: str = ""

    @property
    def first(self) -> Work:
        """Its first cell."""
        return self.works[0]

    @property
    def names(self) -> set[str]:
        """What it binds or changes."""
        return {name for work in self.works for name in work.names}

    @property
    def inputs(self) -> list[str]:
        """What it reads of other blocks, in order."""
        own: set[str] = set()
        found: dict[str, None] = {}
        for work in self.works:
            found.update(dict.fromkeys(name for name in work.read if name not in own))
            found.update(dict.fromkeys(name for name in work.changed if name not in own))
            own.update(work.names)
        return list(found)

    @property
    def gives(self) -> bool:
        """Whether cells below it read something of it."""
        return not self.names.isdisjoint(self.works[-1].later)

    @property
    def is_look(self) -> bool:
        """Whether it only draws or shows something."""
        return all(work.is_look for work in self.works)

    @property
    def surely_changes(self) -> bool:
        """Whether it changes values of other blocks itself, not by handing them to a function."""
        return any(not work.facts.changes.isdisjoint(work.changed) for work in self.works)

    @property
    def section(self) -> tuple[str, ...]:
        """Titles of the sections its last cell stands in."""
        return self.works[-1].cell.headings

    @property
    def touched(self) -> set[str]:
        """Every name its cells deal with."""
        return {name for work in self.works for name in work.facts.touched}

    def can_run_on(self, setups: Iterable[CellFacts], works: Iterable[Work]) -> bool:
        """Whether `works` below `setups` can join it: its cells run in one go, and setup before."""
        touched, names = self.touched, self.names
        imported = {item.name for work in works for item in work.facts.flow.imports}
        return touched.isdisjoint(imported) and not any(
            touched.intersection(setup.bound) or names.intersection(setup.touched)
            for setup in setups
        )

    @property
    def type_tag(self) -> str:
        """The type of block that fits."""
        if self.type is not None:
            return self.type.tag
        if not self.gives and any(w.writings or w.draws or w.prints for w in self.works):
            is_source = not self.inputs and (self._reads_in or not self._goes_further)
            return "exporter" if not self._computes else "loader" if is_source else "transformer"
        if self._reads_in and not self.inputs:
            return "loader"
        if self.first.readings:
            return "loader"
        is_first = bool(self.names) and not self.inputs
        return "loader" if is_first and not self._goes_further else "transformer"

    @property
    def _reads_in(self) -> bool:
        """Whether a cell reads outside data."""
        return any(work.readings for work in self.works)

    @property
    def _goes_further(self) -> bool:
        """Whether a cell makes something from what another one has made."""
        return any(work.made and not {*work.read} <= {*work.names} for work in self.works)

    @property
    def _computes(self) -> bool:
        """Whether it binds or changes values for more than to draw them, and writes none out."""
        makes = any(work.names and not work.draws for work in self.works)
        return makes and not any(work.writings for work in self.works)


@dataclass(frozen=True)
class Placed:
    """What is to be said of one cell: a tag that is certain by now, or its group."""

    cell: SuggestCell
    tag: str = ""
    reason: str = ""
    group: Group | None = None


def listed(names: Iterable[str]) -> str:
    """`'a'`, `'a' and 'b'`, `'a', 'b' and 2 more`."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > _MOST_NAMES:
        quoted = [*quoted[: _MOST_NAMES - 1], f"{len(quoted) - _MOST_NAMES + 1} more"]
    return " and ".join(part for part in (", ".join(quoted[:-1]), *quoted[-1:]) if part)
