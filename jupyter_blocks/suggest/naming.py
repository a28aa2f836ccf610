"""Names for proposed blocks: what the block does, and to what, in words of the notebook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from jupyter_blocks.block import module_name
from jupyter_blocks.suggest.draft import Group
from jupyter_blocks.suggest.facts import Call
from jupyter_blocks.suggest.vocabulary import LITTLE_WORDS, VERBS, verb

__all__ = ["Namer", "file_stem"]

_GENERIC = re.compile(
    r"""(?x) [a-z]\w?\d* | _.* | (?:all_)?(?:ans|answer|arr|array|ax|axes|cols|content|counts|
    data|dataset|df|dta|exog|endog|fig|figure|file|fit|fitted|frame|lines|mask|mod|model|names|obj|
    obs|out|output|params|pred|preds|raw|res|response|result|results|ret|rng|ser|series|sub|table|
    temp|test|text|tmp|train|val|value|values|vals|xs|ys|xx|yy)s?_?\d*"""
)
"""Names that say less than a file or a heading."""

_FILE = re.compile(r"(?:.*[/\\])?(?P<stem>[^/\\]*?)(?:\.[A-Za-z0-9]{1,7})+(?:[?#].*)?\Z", re.DOTALL)
_NAMING = ("_dataset", "_rdataset", "_sql", "_table")
"""Ends of the names of functions whose first text is a name."""
_TABLE = re.compile(r"[A-Za-z_][\w.]*\Z")
_LONGEST = 32
_MOST_WORDS = 3
"""Words of a heading that a name takes over."""


class Namer:
    """Gives each block a name of its own, and none that the notebook uses for something else."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def name(self, group: Group) -> str:
        """`load_flights`, `clean_flights`, `draw_delays`: what it does, and to what.

        The words come from the data, from files, from the heading above; where another block
        has taken the best name, the next best one is given before there is a number.
        """
        verbs = _verb_of(group)
        nouns = list(dict.fromkeys(noun for noun in _nouns_of(group) if noun))
        names = [_name(verbs, noun) for noun in nouns or ["data"]]
        name = next((name for name in names if name not in self._taken), names[0])
        return self._unique(name)

    def _unique(self, name: str) -> str:
        candidate, number = name, 2
        while candidate in self._taken:
            candidate, number = f"{name}_{number}", number + 1
        self._taken.add(candidate)
        return candidate


def _verb_of(group: Group) -> str:
    """What the block does, in a word."""
    functions = frozenset(name for work in group.works for name in work.facts.functions)
    kind = group.type_tag
    if any(work.readings for work in group.works) and kind == "loader":
        return "load"
    if any(work.writings for work in group.works) and kind == "exporter":
        return "write"
    if kind == "exporter":
        return "draw" if any(work.draws for work in group.works) else "show"
    if not group.names and group.first.acts:
        return "run"
    if any(work.made for work in group.works):
        return verb(functions) or "make"
    does = "draw" if any(work.draws for work in group.works) else "show"
    return verb(functions) or ("change" if group.surely_changes else does)


def _nouns_of(group: Group) -> Iterator[str]:
    """What the block deals with, the best word first."""
    stems = list(_files(group))
    names = list(_main_names(group))
    speaking = [name for name in names if not _GENERIC.fullmatch(_noun(name))]
    is_exporter = group.type_tag == "exporter" and any(work.writings for work in group.works)
    if is_exporter:
        yield from stems
    yield from (_noun(name) for name in speaking[:1])
    yield from stems
    yield from (_title(heading) for heading in reversed(group.first.cell.headings[-2:]))
    yield from (_noun(name) for name in (*speaking[1:], *names))


def _files(group: Group) -> Iterator[str]:
    """Names of the files that a loader reads, or an exporter writes."""
    kind = group.type_tag
    for work in group.works if kind in ("loader", "exporter") else ():
        for call in work.readings if kind == "loader" else work.writings:
            if stem := file_stem(call):
                yield stem


def _main_names(group: Group) -> Iterator[str]:
    """Names of values that the block is about."""
    works = [work for work in group.works if work.gives] or group.works
    fresh = [name for work in works for name in work.made if name not in work.read]
    changed = [name for work in works for name in work.names]
    if group.type_tag == "exporter":
        yield from reversed(group.inputs)
    yield from reversed(fresh)
    yield from reversed(changed)
    if not (fresh or changed) and group.type_tag != "exporter":
        yield from (name for work in group.works for name in work.acts)
        yield from reversed(group.inputs)


def file_stem(call: Call) -> str:
    """The name of the file, or of the table, that a call reads or writes; empty if unknown."""
    for text in call.strings:
        found = _FILE.match(text)
        if found and (stem := _words_of(found["stem"])):
            return stem
    if call.strings and (call.function.startswith("save") or call.function.endswith(_NAMING)):
        return _words_of(call.strings[0]) if _TABLE.match(call.strings[0]) else ""
    return ""


def _name(word: str, noun: str) -> str:
    """The two as one name, without saying the same twice."""
    first = noun.partition("_")[0]
    if first in VERBS and "_" in noun:
        name = noun
    else:
        name = f"make_{noun}" if noun.startswith(word) else f"{word}_{noun}"
    return module_name(_shortened(name))


def _shortened(name: str) -> str:
    """As many whole words as a name may have letters."""
    while len(name) > _LONGEST and "_" in name:
        name = name.rpartition("_")[0]
    return name[:_LONGEST]


def _noun(name: str) -> str:
    """A variable's name without the letters that only say that it is a table."""
    return _words_of(re.sub(r"(^df_)|(_df\d*$)", "", name)) if name else ""


def _title(heading: str) -> str:
    """The words of a heading that say something."""
    text = re.sub(r"<[^>]*>|\$[^$]*\$|\]\([^)]*\)|&\w+;", " ", heading)
    text = re.sub(r"(?i)^\W*(?:(?:step|exercise|part|chapter|section)\s*)?[\d.]*\W*", "", text)
    words = _words_of(text.replace("'s ", " ").replace("'", "")).split("_")
    telling = [word for word in words if word and word not in LITTLE_WORDS][:_MOST_WORDS]
    if telling:
        telling[0] = _stem(telling[0])
    return "" if VERBS.issuperset(telling) else "_".join(telling)


def _stem(word: str) -> str:
    """`load` for `loading`, `plot` for `plotting`; other words as they are."""
    stem = word.removesuffix("ing")
    return next((verb for verb in (stem, f"{stem}e", stem[:-1]) if verb in VERBS), word)


def _words_of(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore")
    words = re.sub(r"[^a-z0-9]+", "_", plain.decode().lower()).strip("_")
    return words if re.search(r"[a-z]", words) else ""
