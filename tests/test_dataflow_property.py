"""Promise: blocks cut from a program compute what the program computes.

Small programs are generated, cut into parts and run twice: as a whole, and part by part, where each
part gets copies of only those values that the analysis says it reads, and hands on only those that
the analysis says it binds or changes.
"""

from __future__ import annotations

import copy
import textwrap
from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from jupyter_blocks.dataflow import CellFlow, Definition, analyze

NAMES = ("a", "b", "c", "d")
START = "from contextlib import suppress\na = [1]\nb = [2, 3]\nc = []\nd = [4]"

EXPRESSIONS = (
    "[1, 2]",
    "{x} + {y}",
    "list({x})",
    "[e + 1 for e in {x}]",
    "[{y}[0] if {y} else e for e in {x} if e]",
    "(lambda v: v + {x})({y})",
    "({x} := {y} + [5])",
    "[e for e in {y} if (w := e)]",
    "sorted({x} or {y})",
    "({x} if {y} else [7])",
    "f({x})",
    "[{x} for {x} in {y}]",
    "[{y}.pop()] if {y} else []",
)
SIMPLE = (
    "{x} = {value}",
    "{x} = {value}",
    "{x} = {value}",
    "{x}, {y} = {value}, [8]",
    "{x} = {y}",
    "{x} += [1]",
    "{x} += {y}",
    "{x}.append(9)",
    "{x}[:] = {y}",
    "del {x}[:]",
    "del {x}",
    "{x}: list = {y} + [3]",
    "assert ({x} := [6])",
    "f({x})",
    "f(v={x})",
    "[f(v) for v in ({x}, {y})]",
)
COMPOUND = (
    "if {x}:\n{body}",
    "if {x}:\n{body}\nelse:\n{other}",
    "for e in list({x})[:3]:\n{body}",
    "for {x} in [[1], [2]]:\n{body}",
    "for {x} in ({y}, {z}):\n{body}",
    "for e in list({x})[:3]:\n    if e > 2:\n        break\n{body}\nelse:\n{other}",
    "for e in range(2):\n{body}\n    if {x}:\n        continue\n{other}",
    "while len({x}) > 2:\n    {x} = {x}[1:]\n{body}\n    break",
    "while True:\n{body}\n    break",
    "try:\n{body}\n    {x}[9]\n{other}\nexcept IndexError as e:\n    {y} = [0]",
    "try:\n{body}\nexcept NameError:\n{other}\nfinally:\n    {y} = [1]",
    "match {x}:\n    case [{y}, *_] if {z}:\n        {y} = [{y}]\n    case [*{z}]:\n        pass",
    "def f(v):\n    v.append(1)\n    return v + {x}",
    "def f(v):\n    return list(v) + {x}",
    "def f(v):\n    {x} = v[:]\n    return [{x} for _ in v][0] if v else {x}",
    "class K:\n    {x} = {y} + [2]\n    z = {x}\n{z} = K.z + K.{x}",
    "with suppress(IndexError):\n{body}\n    {x}[9]\n{other}",
)


class Programs:
    """Writes programs over few names, all of them lists."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def program(self) -> list[str]:
        """Two or three parts."""
        return [self.body(0, 4) for _ in range(self.random.randint(2, 3))]

    def body(self, depth: int, most: int) -> str:
        """Some statements; at depth 3 no more compound ones."""
        count = self.random.randint(1, most)
        return "\n".join(self.statement(depth) for _ in range(count))

    def statement(self, depth: int) -> str:
        """One statement, with statements inside at times."""
        templates = SIMPLE if depth == 3 or self.random.random() < 0.6 else COMPOUND
        return self.filled(self.random.choice(templates), depth)

    def filled(self, template: str, depth: int) -> str:
        """The template with names, and with a value or bodies where it has places for them."""
        fields = {field: self.random.choice(NAMES) for field in "xyz"}
        if "{value}" in template:
            fields["value"] = self.filled(self.random.choice(EXPRESSIONS), depth)
        for field in ("body", "other"):
            if f"{{{field}}}" in template:
                fields[field] = textwrap.indent(self.body(depth + 1, 2), "    ")
        return template.format(**fields)


DEFINE = "def f(v):\n    return v + [5]"


def lists(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in NAMES if name in values}


def run_whole(sources: list[str]) -> dict[str, Any] | None:
    """The values at the end; none where the program fails, as generated programs may."""
    values: dict[str, Any] = {}
    try:
        for source in sources:
            exec(source, values)  # the point of this test
    except (NameError, TypeError, IndexError, ValueError, AttributeError, AssertionError):
        return None
    return values


def run_part(source: str, flow: CellFlow, store: dict[str, Any]) -> None:
    """Run a part with what it reads, and put what it binds or changes into the store."""
    wanted = {use.name for use in (*flow.reads, *flow.maybe_reads)} | set(flow.maybe_binds)
    values = {name: copy.deepcopy(store[name]) for name in wanted if name in store}
    exec(source, values)  # the point of this test
    perhaps = (*flow.maybe_deletes, *flow.maybe_binds)
    gone = {name for name in perhaps if name in wanted and name not in values}
    for name in gone.union(flow.deletes):
        store.pop(name, None)
    for name in (*flow.binds, *flow.maybe_binds, *flow.changes):
        if name in values:
            store[name] = values[name]


def crosses(flow: CellFlow, known: dict[str, Definition]) -> bool:
    """Whether the part uses an earlier function that needs data, which export refuses."""
    used = {use.name for use in (*flow.reads, *flow.maybe_reads)}
    safe = "f" in known and known["f"].is_final and not known["f"].free - {"list"}
    return "f" in used and not safe


def run_parts(sources: list[str]) -> dict[str, Any] | None:
    """The values at the end; none where export would refuse the parts, or warn about aliases."""
    store: dict[str, Any] = {}
    known: dict[str, Definition] = {}
    shared = False
    for source in sources:
        flow = analyze(source, known=known)
        if shared or crosses(flow, known):
            return None
        run_part(source, flow, store)
        for name in (*flow.binds, *flow.maybe_binds):
            known.pop(name, None)
        known |= {found.name: found for found in flow.definitions}
        shared = bool(flow.aliases)
    return store


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False))
def test_parts_that_get_what_they_read_compute_what_the_whole_computes(random: Random) -> None:
    """Isolated parts agree with the whole, unless two names share one object across a cut."""
    sources = [f"{START}\n{DEFINE}", *Programs(random).program()]
    note("\n# ---- cut\n".join(sources))
    whole = run_whole(sources)
    assume(whole is not None)
    assert whole is not None
    parts = run_parts(sources)
    assume(parts is not None)
    assert parts is not None
    assert {name: parts.get(name) for name in lists(whole)} == lists(whole)
