"""Which tags an untagged notebook could carry, cell by cell, with the reason for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from jupyter_blocks.dataflow import CellFlow, Definition
from jupyter_blocks.suggest.facts import Call, CellFacts, cell_facts, is_reading, is_writing
from jupyter_blocks.suggest.naming import Namer

__all__ = ["Proposal", "SuggestCell", "suggest"]


_MOST_NAMES = 4
"""Names that a reason lists; further ones are counted."""


@dataclass(frozen=True)
class SuggestCell:
    """One code cell of a notebook, as the proposals need it."""

    index: int
    """Whatever tells the caller which cell it is; it comes back in the proposal."""
    source: str


@dataclass(frozen=True)
class Proposal:
    """A tag for one cell."""

    index: int
    tag: str
    reason: str
    """One sentence."""


def suggest(cells: Sequence[SuggestCell]) -> list[Proposal]:
    """A tag for each code cell that needs one, in the order of the cells.

    Cells without code get none. Names of blocks are valid, unique, and none is a name that the
    notebook binds.
    """
    known: dict[str, Definition] = {}
    facts: list[CellFacts] = []
    for cell in cells:
        found = cell_facts(cell.index, cell.source, known)
        known |= {definition.name: definition for definition in found.flow.definitions}
        facts.append(found)
    proposer = _Proposer(facts)
    proposals = [proposer.propose(number, found) for number, found in enumerate(facts)]
    return [proposal for proposal in proposals if proposal is not None]


@dataclass
class _Above:
    """The block above the present cell."""

    name: str = ""
    is_transformer: bool = False
    names: set[str] = field(default_factory=set)
    """What it binds or changes."""
    touched: set[str] = field(default_factory=set)
    """What its cells read or bind."""
    is_cut_off: bool = False
    """Whether a setup cell below it deals with the same names: no cell can continue the block."""


class _Proposer:
    """Goes through the cells once, remembering which block made which name."""

    def __init__(self, facts: Sequence[CellFacts]) -> None:
        self.live = _live_after(facts)
        self.makers = Counter(
            name for found in facts for name in {*_bound(found.flow), *found.flow.changes}
        )
        """In how many cells each name is bound or changed."""
        self.modules: dict[str, str] = {}
        self.definitions: dict[str, tuple[Call, ...]] = {}
        self.owners: dict[str, str] = {}
        """The block that bound or changed each name last."""
        self.figures: set[str] = set()
        """Names of figures and axes, which stay inside the block that draws them."""
        self.above = _Above()
        self.namer = Namer(name for found in facts for name in _bound(found.flow))

    def propose(self, number: int, facts: CellFacts) -> Proposal | None:
        """The proposal for one cell; none where there is nothing to tag."""
        if not (facts.statements or facts.error or facts.command):
            return None
        self.modules |= {found.name: found.module.partition(".")[0] for found in facts.flow.imports}
        self.definitions |= facts.definitions
        found = self._setup(facts) or self._parameters(facts) or self._block(number, facts)
        tag = found[0]
        self._passed(
            facts, is_setup=tag in {"imports", "functions", "parameters"}, is_new=":" in tag
        )
        return Proposal(facts.index, *found)

    def _passed(self, facts: CellFacts, *, is_setup: bool, is_new: bool) -> None:
        """Remember what the cell that was tagged just now means for a `continue` below it."""
        touched = {use.name for use in (*facts.flow.reads, *facts.flow.maybe_reads)}
        touched |= {*_bound(facts.flow), *(n for d in facts.flow.definitions for n in d.free)}
        if is_setup:
            self.above.is_cut_off = self.above.is_cut_off or not touched.isdisjoint(
                self.above.touched
            )
        else:
            self.above.touched = touched if is_new else self.above.touched | touched

    # Cells that are no blocks

    def _setup(self, facts: CellFacts) -> tuple[str, str] | None:
        if facts.error:
            return "skip", f"It is not Python that can be exported: {facts.error}."
        if facts.decorated:
            kind, name = facts.decorated
            self._made(self.namer.own(name), _bound(facts.flow))
            return f"{kind.tag}:{name}", f"It holds the decorated function '{name}'."
        constants = facts.flow.constants
        reads_data = any(use.name in self.owners for use in facts.flow.reads)
        stays = not reads_data and self._stay_as_they_are(constants)
        if stays and facts.is_setup(self.modules):
            names = [definition.name for definition in facts.flow.definitions]
            if names:
                return "functions", f"It defines {_listed(names)} for other cells."
            return "imports", "It imports modules, or sets their options."
        if own := self._values_of_functions(facts):
            return "functions", f"It defines functions that need its {_listed(own)}."
        if not facts.statements:
            return "skip", f"It holds no Python: {facts.command}"
        return None

    def _values_of_functions(self, facts: CellFacts) -> list[str]:
        """Values, made from no data, that functions of the same cell read when they are called."""
        free = {name for definition in facts.flow.definitions for name in definition.free}
        data = [use.name for use in facts.flow.reads if use.name in self.owners]
        if data or self._outside(facts, is_reading):
            return []
        own = [name for name in self._made_here(facts.flow) if name in free]
        return own if self._stay_as_they_are(own) else []

    def _parameters(self, facts: CellFacts) -> tuple[str, str] | None:
        if not facts.is_constants or not self._stay_as_they_are(facts.flow.constants):
            return None
        names = list(facts.flow.constants)
        return "parameters", f"It sets plain values that a run can choose: {_listed(names)}."

    def _stay_as_they_are(self, names: Iterable[str]) -> bool:
        """Whether no other cell binds or changes one of `names`, which the present cell binds."""
        return all(self.makers[name] == 1 for name in names)

    # Blocks

    def _block(self, number: int, facts: CellFacts) -> tuple[str, str]:
        drawn = [use.name for use in facts.flow.reads if use.name in self.figures]
        self.figures |= facts.figures(self.modules)
        values = [name for name in self._made_here(facts.flow) if name not in self.figures]
        made = [name for name in values if name in self.live[number]]
        values = [name for name in values if name not in facts.loop_names]
        read = [use.name for use in facts.flow.reads if use.name in self.owners]
        changed = [name for name in facts.flow.changes if name in self.owners]
        if facts.is_test and len({self.owners[name] for name in read}) == 1:
            block = self.owners[read[0]]
            return f"test:{block}", f"It only asserts something about '{read[0]}' of '{block}'."
        if drawn and self.above.name:
            return "continue", f"It goes on with {_listed(drawn)}, and no figure leaves its block."
        readings, writings = self._outside(facts, is_reading), self._outside(facts, is_writing)
        if writings and not made:
            return self._exporter(facts, writings, read)
        if readings and (made or values):
            return self._loader(made or values, readings)
        if not made and not changed and (looks := self._looks(number, facts, values, read)):
            return looks
        return self._inner(facts, made or values, changed, read)

    def _looks(
        self, number: int, facts: CellFacts, values: list[str], read: list[str]
    ) -> tuple[str, str] | None:
        """A cell whose values nobody needs later: it draws, shows or deletes something."""
        draws = facts.draws(self.modules)
        if draws and self.above.name:
            return self._drawing(read)
        if not draws and (values or facts.acts):
            return None
        needed = [name for name in _bound(facts.flow) if name in self.live[number]]
        if needed and read and not self.above.is_cut_off:
            return "continue", f"It shows values, and later cells need its {_listed(needed)}."
        if needed:
            tag = "functions" if facts.flow.definitions else "imports"
            return tag, f"Later cells need its {_listed(needed)}."
        if draws:
            return "skip", "It draws before there is a block that the figure could belong to."
        if facts.flow.deletes:
            return "skip", "It only deletes names, and no block keeps what it does not need."
        return "skip", "It only shows values, and no later cell needs it."

    def _drawing(self, read: list[str]) -> tuple[str, str]:
        above = self.above.name
        if not self.above.is_cut_off:
            return "continue", f"It draws, and the figure belongs to block '{above}' above."
        name = self.namer.drawer(read[-1] if read else above)
        self._made(name, ())
        return f"transformer:{name}", "It draws, and a setup cell cuts it off from the block above."

    def _inner(
        self, facts: CellFacts, made: list[str], changed: list[str], read: list[str]
    ) -> tuple[str, str]:
        """A cell that computes, and neither reads nor writes outside data."""
        own = self.above.names
        goes_on = self.above.is_transformer and not self.above.is_cut_off
        if goes_on and (made or changed) and {*made, *changed, *read} <= own:
            names = _listed(dict.fromkeys((*made, *changed)))
            return "continue", f"It goes on with {names} of block '{self.above.name}' above."
        if made and not read and not changed and not self.above.name:
            return self._loader(made, [])
        return self._transformer(facts, made, changed, read)

    def _loader(self, made: list[str], readings: list[Call]) -> tuple[str, str]:
        name = self.namer.loader(made[-1], readings)
        self._made(name, made)
        if not readings:
            return f"loader:{name}", f"It makes {_listed(made)} without any earlier data."
        functions = ", ".join(dict.fromkeys(call.function for call in readings))
        return f"loader:{name}", f"It reads outside data ({functions}) and gives {_listed(made)}."

    def _exporter(self, facts: CellFacts, writings: list[Call], read: list[str]) -> tuple[str, str]:
        data = next((call.owner for call in writings if call.owner in self.owners), "")
        name = self.namer.exporter(data or (read[-1] if read else ""), writings)
        self._made(name, self._made_here(facts.flow))
        functions = ", ".join(dict.fromkeys(call.function for call in writings))
        return f"exporter:{name}", f"It writes data out ({functions}) that no later cell needs."

    def _transformer(
        self, facts: CellFacts, made: list[str], changed: list[str], read: list[str]
    ) -> tuple[str, str]:
        names = list(dict.fromkeys((*made, *changed)))
        if not names:
            return self._caller(facts)
        fresh = [name for name in names if name not in self.owners]
        main = (fresh or names)[-1]
        name = self.namer.transformer(main, facts.functions, is_new=bool(fresh))
        self._made(name, names, is_transformer=True)
        sources = [source for source in dict.fromkeys(read) if source not in names]
        origin = f" from {_listed(sources)}" if sources else ""
        does = "makes" if fresh else "changes"
        return f"transformer:{name}", f"It {does} {_listed(names)}{origin}."

    def _caller(self, facts: CellFacts) -> tuple[str, str]:
        """A cell that only calls functions, for whatever they do."""
        name = self.namer.caller(facts.acts[-1])
        self._made(name, ())
        return f"transformer:{name}", f"It calls {_listed(facts.acts)} for what that does."

    def _made(self, block: str, names: Iterable[str], *, is_transformer: bool = False) -> None:
        self.above = _Above(block, is_transformer, set(names))
        self.owners.update(dict.fromkeys(self.above.names, block))

    def _made_here(self, flow: CellFlow) -> list[str]:
        """The values that a cell binds: neither modules nor functions."""
        others = {found.name for found in flow.imports} | {item.name for item in flow.definitions}
        return [name for name in _bound(flow) if name not in others and not name.startswith("_")]

    def _outside(self, facts: CellFacts, is_it: Callable[[Call], bool]) -> list[Call]:
        """The calls of a kind that a cell makes, itself or by a function of the notebook."""
        found: list[Call] = []
        for call in facts.calls:
            inner = [] if call.owner else self.definitions.get(call.function, ())
            if is_it(call) or any(is_it(made) for made in inner):
                found.append(call)
        return found


def _listed(names: Iterable[str]) -> str:
    """`'a'`, `'a' and 'b'`, `'a', 'b' and 2 more`."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > _MOST_NAMES:
        quoted = [*quoted[: _MOST_NAMES - 1], f"{len(quoted) - _MOST_NAMES + 1} more"]
    return " and ".join(part for part in (", ".join(quoted[:-1]), *quoted[-1:]) if part)


def _bound(flow: CellFlow) -> tuple[str, ...]:
    return (*flow.binds, *flow.maybe_binds)


def _live_after(facts: Sequence[CellFacts]) -> list[set[str]]:
    """For each cell, the names that later cells read before they bind them."""
    live: set[str] = set()
    after: list[set[str]] = []
    for found in reversed(facts):
        after.append(set(live))
        flow = found.flow
        live -= set(flow.binds)
        live |= {use.name for use in (*flow.reads, *flow.maybe_reads)}
        live |= {name for definition in flow.definitions for name in definition.free}
    return list(reversed(after))
