"""Which tags an untagged notebook could carry, cell by cell, with the reason for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from jupyter_blocks.dataflow import Definition
from jupyter_blocks.suggest.draft import Group, Hints, Placed, Proposal, SuggestCell, Work, listed
from jupyter_blocks.suggest.facts import CellFacts, cell_facts
from jupyter_blocks.suggest.merging import merged
from jupyter_blocks.suggest.naming import Namer
from jupyter_blocks.suggest.sorting import sorted_cells
from jupyter_blocks.suggest.views import cells_of_views
from jupyter_blocks.tags import Role

__all__ = ["Proposer", "suggest"]

_OF_VIEWS = ": an array is changed through a part of it"


def suggest(cells: Sequence[SuggestCell]) -> list[Proposal]:
    """A tag for each code cell that needs one, in the order of the cells.

    Cells without code get none, nor do cells with a tag of their own. Names of blocks are valid,
    unique, and none is a name that the notebook binds.
    """
    return Proposer(cells).propose(Hints())


class Proposer:
    """Proposes tags for the cells of one notebook, as often as there are new hints."""

    def __init__(self, cells: Sequence[SuggestCell]) -> None:
        self._cells = cells
        self._facts: list[CellFacts] = []
        known: dict[str, Definition] = {}
        for cell in cells:
            found = cell_facts(cell.index, cell.source, known)
            known |= {definition.name: definition for definition in found.flow.definitions}
            self._facts.append(found)
        self._views = dict.fromkeys(cells_of_views(self._facts), _OF_VIEWS)

    def propose(self, hints: Hints) -> list[Proposal]:
        """The proposals that take account of `hints`."""
        glued = replace(hints, glued={**self._views, **hints.glued})
        placed = sorted_cells(self._cells, self._facts, glued)
        groups = _groups(placed)
        if not groups and not hints.keeps_shows:
            return self.propose(replace(hints, keeps_shows=True))
        taken = merged(groups)
        self._name(groups, taken)
        return [
            proposal
            for place in placed
            if (proposal := _proposal(place, _final(place.group, taken))) is not None
        ]

    def readers(self, names: Iterable[str], after: int) -> list[int]:
        """Indexes of the cells below the cell `after` that read one of `names`."""
        wanted = set(names)
        below = (found for found in self._facts if found.index > after)
        return [
            found.index
            for found in below
            if any(use.name in wanted for use in (*found.flow.reads, *found.flow.maybe_reads))
        ]

    def _name(self, groups: Iterable[Group], taken: Mapping[int, Group]) -> None:
        """Name the blocks that have no name yet."""
        given = [group.name for group in groups if group.name]
        bound = (name for found in self._facts for name in found.bound)
        namer = Namer((*given, *bound))
        for group in groups:
            if id(group) not in taken and not group.name:
                group.name = namer.name(group)


def _groups(placed: Iterable[Placed]) -> list[Group]:
    """The groups, in the order of their first cells."""
    return list({id(place.group): place.group for place in placed if place.group}.values())


def _final(group: Group | None, taken: Mapping[int, Group]) -> Group | None:
    """The group that took up `group`, if one did."""
    while group is not None and id(group) in taken:
        group = taken[id(group)]
    return group


def _proposal(place: Placed, group: Group | None) -> Proposal | None:
    """What is proposed for a cell; none for one with a tag of its own."""
    cell = place.cell
    if cell.tags.role is not Role.NONE:
        return None
    if group is None:
        return Proposal(cell.index, place.tag, place.reason)
    if place.tag:
        return Proposal(cell.index, f"{place.tag}:{group.name}", _filled(place.reason, group))
    if group.first.cell is cell:
        return Proposal(cell.index, f"{group.type_tag}:{group.name}", _reason(group))
    work = next(work for work in group.works if work.cell is cell)
    return Proposal(cell.index, "continue", _filled(work.why, group))


def _filled(reason: str, group: Group) -> str:
    return reason.replace("{block}", group.name)


def _reason(group: Group) -> str:
    """Why the cells of a group make a block of this type."""
    if group.is_closed:
        return f"It holds the decorated function '{group.name}'."
    match group.type_tag:
        case "loader":
            return _loads(group)
        case "exporter":
            return _exports(group)
    return _transforms(group)


def _loads(group: Group) -> str:
    readings = [call.function for work in group.works for call in work.readings]
    names = listed(dict.fromkeys(name for work in group.works for name in work.made))
    if not readings:
        return f"It makes {names} without any earlier data."
    functions = ", ".join(dict.fromkeys(readings))
    return f"It reads outside data ({functions})" + (f" and gives {names}." if names else ".")


def _exports(group: Group) -> str:
    writings = [call.function for work in group.works for call in work.writings]
    if writings:
        functions = ", ".join(dict.fromkeys(writings))
        return f"It writes data out ({functions}), and gives nothing that a later cell needs."
    does = "draws" if any(work.draws for work in group.works) else "shows"
    read = ", ".join(call.function for work in group.works for call in work.readings)
    made = f"what it reads ({read})" if read else "something that is made from no data"
    what = listed(group.inputs) or made
    return f"It {does} {what}, and gives nothing that a later cell needs."


def _transforms(group: Group) -> str:
    names = list(dict.fromkeys(name for work in group.works for name in work.names))
    sources = [name for name in group.inputs if name not in names]
    origin = f" from {listed(sources)}" if sources else ""
    origin = origin if group.inputs else " without any earlier data"
    if not names:
        return _acts(group.works, origin)
    if any(work.made for work in group.works):
        anew = " anew" if set(names) <= set(group.inputs) else ""
        return f"It makes {listed(names)}{anew}{origin}."
    return f"It {'changes' if group.surely_changes else 'may change'} {listed(names)}{origin}."


def _acts(works: Sequence[Work], origin: str) -> str:
    """Why cells that bind nothing are a transformer."""
    acts = list(dict.fromkeys(name for work in works for name in work.acts))
    if acts:
        return f"It calls {listed(acts)} for what that does."
    return f"It computes{origin} what it shows."
