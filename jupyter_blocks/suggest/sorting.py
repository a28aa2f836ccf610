"""Which cells are setup, parameters, tests or nothing, and which make a block with those above.

One walk over the notebook, in the order in which a person runs it. Names and types of the blocks
are for later, when it is known which cells each of them has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from jupyter_blocks.block import BlockType
from jupyter_blocks.dataflow import Definition
from jupyter_blocks.suggest.draft import Group, Hints, Placed, SuggestCell, Work, listed
from jupyter_blocks.suggest.facts import (
    Call,
    CellFacts,
    is_drawing,
    is_printing,
    is_reading,
    is_writing,
)
from jupyter_blocks.suggest.vocabulary import is_seed
from jupyter_blocks.tags import Role

__all__ = ["sorted_cells"]

_Words = tuple[str, str]
"""Tag and reason."""


def sorted_cells(
    cells: Sequence[SuggestCell], facts: Sequence[CellFacts], hints: Hints
) -> list[Placed]:
    """What each cell is; those that need no tag are left out, and cells with a tag have a group."""
    sorter = _Sorter(facts, hints)
    places = [
        sorter.place(number, cell, own)
        for number, (cell, own) in enumerate(zip(cells, facts, strict=True))
    ]
    return [place for place in places if place is not None]


class _Sorter:
    """Remembers which block made which name, and what the block above can take up."""

    def __init__(self, facts: Sequence[CellFacts], hints: Hints) -> None:
        self.hints = hints
        self.live = _live_after(facts)
        self.makers = Counter(
            name for found in facts for name in {*found.bound, *found.flow.changes}
        )
        """In how many cells each name is bound or changed."""
        self.is_seeded = any(is_seed(call.function) for own in facts for call in own.calls)
        self.modules: dict[str, str] = {}
        self.definitions: dict[str, tuple[Call, ...]] = {}
        self.known: dict[str, Definition] = {}
        self.aliases: set[str] = set()
        """Names of types and functions that setup cells gave."""
        self.owners: dict[str, Group] = {}
        """The block that bound or changed each name last."""
        self.inside: set[str] = set()
        """Names of figures, open files and the like, which stay inside the block that has them."""
        self.above: Group | None = None
        self.setups: list[CellFacts] = []
        """Setup cells below the last cell of the block above."""
        self.tested: set[str] = set()
        """Names that tests below the block above deal with."""

    def place(self, number: int, cell: SuggestCell, facts: CellFacts) -> Placed | None:
        """What one cell is; none where there is nothing to tag."""
        self.modules |= {found.name: found.module.partition(".")[0] for found in facts.flow.imports}
        self.definitions |= facts.definitions
        self.known |= {found.name: found for found in facts.flow.definitions}
        if cell.tags.role is not Role.NONE:
            return self._tagged(number, cell, facts)
        if not (facts.statements or facts.error or facts.command):
            return None
        if words := self._setup(cell, facts) or self._parameters(cell, facts):
            return self._not_in_a_block(cell, facts, words)
        if facts.decorated:
            return Placed(cell, group=self._decorated(cell, facts, *facts.decorated))
        return self._block(number, cell, facts)

    def _not_in_a_block(self, cell: SuggestCell, facts: CellFacts, words: _Words) -> Placed:
        if words[0] != "skip":
            self.setups.append(facts)
            self.aliases.update(facts.aliases(self.modules, self.aliases))
        return Placed(cell, *words)

    def _tagged(self, number: int, cell: SuggestCell, facts: CellFacts) -> Placed | None:
        """A cell that says itself what it is."""
        tags = cell.tags
        match tags.role:
            case Role.BLOCK:
                group = self._start(self._work(number, cell, facts))
                group.is_own, group.type, group.name = True, tags.type, tags.name
                group.is_closed = facts.decorated is not None
                return Placed(cell, group=group)
            case Role.CONTINUE if self.above is not None:
                return Placed(cell, group=self._join(self.above, self._work(number, cell, facts)))
            case Role.SETUP | Role.PARAMETERS:
                self.setups.append(facts)
            case Role.TEST:
                self.tested |= facts.touched
        return None

    # Cells that are no blocks

    def _setup(self, cell: SuggestCell, facts: CellFacts) -> _Words | None:
        if facts.error:
            return "skip", f"It is not Python that can be exported: {facts.error}."
        if not facts.statements:
            return "skip", f"It holds no Python: {facts.command}"
        if cell.may_raise and cell.index not in self.hints.kept:
            return "skip", "It is meant to fail: it has the tag 'raises-exception'."
        if facts.decorated or cell.index in self.hints.no_setup:
            return None
        reads_data = any(use.name in self.owners for use in facts.flow.reads)
        stays = not reads_data and self._stay_as_they_are(_values(facts))
        if stays and facts.is_setup(self.modules, self.aliases):
            return self._setup_words(facts)
        if own := self._values_of_functions(facts):
            return "functions", f"It defines functions that need its {listed(own)}."
        return None

    def _setup_words(self, facts: CellFacts) -> _Words:
        names = [definition.name for definition in facts.flow.definitions]
        if names:
            return "functions", f"It defines {listed(names)} for other cells."
        imports = facts.flow.imports or facts.flow.star_imports
        does = ["imports modules"] if imports else []
        does += ["sets options of modules"] if facts.sets_options(self.modules) else []
        values = _values(facts)
        does += [f"names {listed(values)} for other cells"] if values else []
        return "imports", f"It {_spoken(does)}."

    def _values_of_functions(self, facts: CellFacts) -> list[str]:
        """Values, made from no data, that functions of the same cell read when they are called."""
        free = {name for definition in facts.flow.definitions for name in definition.free}
        data = [use.name for use in facts.flow.reads if use.name in self.owners]
        if data or self._outside(facts, is_reading):
            return []
        own = [name for name in _values(facts) if name in free]
        return own if self._stay_as_they_are(own) else []

    def _parameters(self, cell: SuggestCell, facts: CellFacts) -> _Words | None:
        if cell.index in self.hints.no_setup or not facts.is_constants:
            return None
        if not self._stay_as_they_are(facts.flow.constants):
            return None
        names = list(facts.flow.constants)
        if needed := [name for name in names if name in self.hints.constants]:
            return "imports", f"Setup cells need its {listed(needed)}."
        return "parameters", f"It sets plain values that a run can choose: {listed(names)}."

    def _stay_as_they_are(self, names: Iterable[str]) -> bool:
        """Whether no other cell binds or changes one of `names`, which the present cell binds."""
        return all(self.makers[name] == 1 for name in names)

    # Blocks

    def _decorated(self, cell: SuggestCell, facts: CellFacts, kind: BlockType, name: str) -> Group:
        group = self._start(Work(cell, facts, made=facts.bound, gives=True))
        group.type, group.name, group.is_closed = kind, name, True
        return group

    def _block(self, number: int, cell: SuggestCell, facts: CellFacts) -> Placed:
        """A cell with work of its own."""
        work = self._work(number, cell, facts)
        owners = {id(self.owners[name]): self.owners[name] for name in work.read}
        if facts.is_test and len(owners) == 1 and cell.index not in self.hints.no_tests:
            self.tested |= facts.touched
            why = f"It only asserts something about '{work.read[0]}' of '{{block}}'."
            return Placed(cell, "test", why, next(iter(owners.values())))
        inside = [name for name in _reads(facts) if name in self.inside]
        self.inside = (self.inside - set(facts.bound)) | facts.unstored(self.modules)
        above = None if self.above is None or self.above.is_closed else self.above
        if above is not None and (inside or cell.index in self.hints.glued):
            why = f"It goes on with {listed(inside)} of block '{{block}}' above."
            if not inside:
                because = self.hints.glued[cell.index]
                why = f"It has to run together with block '{{block}}' above{because}."
            return Placed(cell, group=self._join(above, work, why))
        if work.is_look and (words := self._left_out(number, work)):
            return self._not_in_a_block(cell, facts, words)
        why = self._goes_on(above, work) if above is not None else ""
        group = self._join(above, work, why) if above is not None and why else self._start(work)
        return Placed(cell, group=group)

    def _goes_on(self, above: Group, work: Work) -> str:
        """Why a cell goes on with the block above; empty if it does not."""
        if not above.can_run_on(self.setups, [work]):
            return ""
        if work.is_look:
            return self._looks_on(above, work)
        is_chain = bool(work.names) and {*work.names, *work.read} <= above.names
        is_plain = not (work.readings or work.writings or above.is_own)
        is_whole = self.tested.isdisjoint(work.names) and above.type_tag == "transformer"
        if not (is_chain and is_plain and is_whole):
            return ""
        return f"It goes on with {listed(work.names)} of block '{{block}}' above."

    def _looks_on(self, above: Group, work: Work) -> str:
        if work.facts.only_defines:
            names = [definition.name for definition in work.facts.flow.definitions]
            needs = "needs" if len(names) == 1 else "need"
            return f"It defines {listed(names)}, which {needs} data of blocks such as '{{block}}'."
        does = "draws" if work.draws else "defines" if work.facts.definitions else "shows"
        does = "checks" if work.facts.is_test else does
        if own := [name for name in work.read if name in above.names]:
            return f"It {does} {listed(own)} of block '{{block}}' above."
        is_more = above.is_look or not work.read
        if is_more and work.cell.headings == above.section:
            return f"It {does} something in the same section as block '{{block}}' above."
        return ""

    def _left_out(self, number: int, work: Work) -> _Words | None:
        """Why a cell that only looks at something is no part of the pipeline, if it is not."""
        facts = work.facts
        needed = [name for name in facts.bound if name in self.live[number]]
        draws_numbers = self.is_seeded and facts.draws_numbers(self.modules)
        is_kept = draws_numbers or work.cell.index in self.hints.kept
        if is_kept or work.draws or (needed and work.read):
            return None
        if needed and work.cell.index in self.hints.no_setup:
            return None
        if needed:
            tag = "functions" if facts.flow.definitions else "imports"
            return tag, f"Later cells need its {listed(needed)}."
        if facts.flow.deletes and facts.is_glance:
            return "skip", "It only deletes names, and no block keeps what it does not need."
        if self.hints.keeps_shows:
            return None
        if facts.is_glance:
            return "skip", "It only looks at values, and the pipeline keeps previews of them."
        if not work.read:
            does = "It checks" if facts.is_test else "It shows"
            return "skip", f"{does} something that is made from no data, and no later cell needs."
        return None

    def _start(self, work: Work) -> Group:
        """Begin a new block."""
        self.above = Group([work], self.setups, self.tested)
        self.setups, self.tested = [], set()
        self.owners.update(dict.fromkeys(work.names, self.above))
        return self.above

    def _join(self, group: Group, work: Work, why: str = "") -> Group:
        """Let a cell go on with the block above."""
        group.works.append(replace(work, why=why))
        group.setups += self.setups
        self.setups = []
        self.owners.update(dict.fromkeys(work.names, group))
        return group

    # What a cell does

    def _work(self, number: int, cell: SuggestCell, facts: CellFacts) -> Work:
        draws = facts.draws(self.modules) or self._has(facts, self._is_drawing)
        figures = facts.unstored(self.modules) if draws else set()
        loops = facts.loop_names
        values = [name for name in _values(facts) if name not in figures]
        live = [name for name in values if name in self.live[number]]
        reads = dict.fromkeys((*_reads(facts), *self._read_by_functions(facts)))
        changed = [name for name in facts.flow.changes if name in self.owners]
        return Work(
            cell,
            facts,
            made=tuple(live or [name for name in values if not draws and name not in loops]),
            changed=tuple(changed),
            read=tuple(name for name in reads if name in self.owners),
            readings=tuple(self._outside(facts, is_reading)),
            writings=tuple(self._outside(facts, is_writing)),
            acts=tuple(name for name in facts.acts if not self._only_gives(name)),
            draws=draws,
            prints=facts.prints or self._has(facts, is_printing),
            gives=bool(live or changed),
            later=frozenset(self.live[number]),
        )

    def _read_by_functions(self, facts: CellFacts) -> list[str]:
        """Names that the notebook's functions read where the cell uses them."""
        found: dict[str, None] = {}
        names = _reads(facts)
        while names:
            name = names.pop()
            if name in self.known and name not in found:
                names += sorted(self.known[name].free)
            found[name] = None
        return list(found)

    def _only_gives(self, name: str) -> bool:
        """Whether a call of a function of the notebook does no more than give a value."""
        found = self.known.get(name)
        return (
            found is not None
            and found.kind == "function"
            and not (found.changes or found.changed_parameters)
            and not any(is_writing(call) for call in self.definitions.get(name, ()))
        )

    def _is_drawing(self, call: Call) -> bool:
        return is_drawing(call, self.modules)

    def _has(self, facts: CellFacts, is_it: Callable[[Call], bool]) -> bool:
        """Whether a function of the notebook that the cell calls makes such a call."""
        return any(
            is_it(made)
            for call in facts.calls
            if not call.owner
            for made in self.definitions.get(call.function, ())
        )

    def _outside(self, facts: CellFacts, is_it: Callable[[Call], bool]) -> list[Call]:
        """The calls of a kind that a cell makes, itself or by a function of the notebook."""
        found: list[Call] = []
        for call in facts.calls:
            inner = [] if call.owner else self.definitions.get(call.function, ())
            if is_it(call) or any(is_it(made) for made in inner):
                found.append(call)
        return found


def _values(facts: CellFacts) -> list[str]:
    """The values that a cell binds: neither modules nor functions."""
    flow = facts.flow
    others = {found.name for found in flow.imports} | {item.name for item in flow.definitions}
    return [name for name in facts.bound if name not in others and not name.startswith("_")]


def _reads(facts: CellFacts) -> list[str]:
    """Names read by a cell, those in strings included."""
    flow = facts.flow
    return [use.name for use in (*flow.reads, *flow.maybe_reads, *flow.soft_reads)]


def _live_after(facts: Sequence[CellFacts]) -> list[set[str]]:
    """For each cell, the names that later cells read before they bind them."""
    live: set[str] = set()
    after: list[set[str]] = []
    for found in reversed(facts):
        after.append(set(live))
        live -= set(found.flow.binds)
        live |= {use.name for use in (*found.flow.reads, *found.flow.maybe_reads)}
        live |= {name for definition in found.flow.definitions for name in definition.free}
    return list(reversed(after))


def _spoken(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
