"""The golden rule for shared objects in notebooks nobody thought of: equal values, or a refusal.

Lists of lists, dicts, arrays, tables and objects of a class: elements, views, copies, loops,
closures and changes in place are cut into cells at random. Every output of every block must be the
notebook's value.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.notebook import read_notebook
from tests.golden import NotebookFailedError, assert_same, run_both
from tests.notebooks import Source, notebook

START: tuple[Source, ...] = (
    ("imports", "import copy\nimport numpy as np\nimport pandas as pd"),
    (
        "functions",
        """
        class Box:
            def __init__(self, held):
                self.held = held
                self.n = 0
            def add(self, v):
                self.held.append(v)
                return self
            def keep(self, other):
                self.other = other
            def top(self):
                return self.held[0]
        def part(x):
            return x[0]
        def both(x, y):
            return [x, y]
        def push(x, v):
            x.append(v)
        def same(x):
            return x
        """,
    ),
    ("loader", "rows = [[1], [2], [3]]\nmore = [[4], [5]]\nd = {'p': [1], 'q': [2]}"),
    ("loader", "item = [0]\nfirst = [9]\nbox = Box([[7]])\nz = Box([[8]])"),
    ("loader", "a = np.arange(12).reshape(3, 4)\nb = np.ones((3, 4), dtype=int)\ni = 1"),
    ("loader", "v = np.arange(4)\nw = np.zeros(4, dtype=int)"),
    ("loader", "df = pd.DataFrame({'x': [1, 2, 3], 'y': [4, 5, 6]})\ndg = df.copy()\ns = df['x']"),
)
END: Source = (
    "transformer",
    """
    lists = [rows, more, item, first, d]
    arrays = [a.tolist(), b.tolist(), v.tolist(), w.tolist()]
    end = [lists, arrays, df.to_dict(), dg.to_dict(), s.tolist(), vars(box), vars(z)]
    """,
)
FIELDS = {
    "R": ("rows", "more"),
    "E": ("item", "first"),
    "A": ("a", "b"),
    "V": ("v", "w"),
    "F": ("df", "dg"),
    "B": ("box", "z"),
}
"""Kind of a value -> names for such values; `{R2}` in a template is a name of the same kind."""

TEMPLATES = r"""
{E} = {R}[0]
{E} = {R}[-1]
{E}.append(len({R}))
{E}.append(1)
{E} = part({R})
{E} = same({E2})
{E}, *rest = {R}
({E}, {E2}) = {R}[:2]
{R}[0].append(3)
{R}.append({E})
{R}.insert(0, {E})
{R} = {R2}[1:] + [{E}]
{R} = list({R2}) or [[1]]
{R} = {R2}.copy()
{R} = copy.deepcopy({R2})
{R} = [list(r) for r in {R2}]
{R} = [r for r in {R2} if len(r) < 9] or [[3]]
{R} = sorted({R2}, key=len)
{R} = {R2}
{R} = both({E}, {E2})
for {E} in {R}:\n    {E}.append(0)
for {E} in {R}:\n    pass
for n, {E} in enumerate({R}):\n    n += 1
{R}[0] = {E}
{R}.sort(key=len)
{R} += [{E}]
push({E}, 8)
push({R}, {E})
d['p'] = {E}
{E} = d['p']
{E} = d.get('q')
{E} = d.setdefault('r', [])
d['q'].append(4)
d = dict(zip('pq', {R})) if len({R}) > 1 else d
d = {{**d, 'p': {E}}}
for k, {E} in d.items():\n    pass
{R} = list(d.values())
{A} = {A2}.T.reshape(3, 4)
{A} = {A2}.copy()
{A} = {A2}[::-1]
{A} = {A2}
{A} = np.asarray({A2})
{A} += 1
{A}[0, 1] = 50
{A}[i] = {V}
{A} = {A2} * 2
{V} = {A}[i]
{V} = {A}[i - 1][:]
{V} = part({A})
{V} = {A}.ravel()[2:6]
{V} = np.ravel({A})[:4]
for {V} in {A}:\n    pass
{V}[0] = 99
{V} += 1
{V} = {V2}[:]
{V} = {V2}.copy()
{V} = {A}[0] + {V2}
np.add({V}, 1, out={V})
{V}[:] = {V2}
p, {V}, q = {A}
{V} = df['x'].to_numpy(copy=True)
{V} = np.resize(np.array(dg['y']), 4)
{F} = {F2}
{F} = {F2}.copy()
{F}['n'] = 1
{F}.loc[0, 'x'] = 77
{F}['x'] = {F2}['y'] + 1
{F} = {F2}[['x', 'y']]
{F} = {F2}.sort_values('x', ignore_index=True)
s = {F}['y']
s = s + 1
s.iloc[0] = 5
{F}.rename(columns={{'n': 'm'}}, inplace=True)
{F}['x'] += 1
{B} = Box({R})
{B} = Box({E}) if len({E}) else {B}
{B}.add(5)
{B} = {B2}.add(6)
{B}.n = 3
{B}.n += 1
{B}.held.append(1)
{B}.keep({E})
{E} = {B}.held
{E} = [{B}.top()]
{B} = {B2}
{B} = copy.copy({B2})
{R} = [{B}.held, {E}]
f = {E}.append\nf(3)
g = lambda v={E}: v.append(1)\ng()
if len({R}) > 2:\n    {E} = {R}[1]
if len({R}) > 2:\n    {E}.append(7)
try:\n    {E} = {R}[5]\nexcept IndexError:\n    {E} = {R}[0]
while len({E}) < 3:\n    {E}.append(len({R}))
{E} = {R}.pop() if len({R}) > 1 else {E}
del {R}[0]; {R}.append({E})
({E} := {R}[0]).append(2)
{E} = {R} and {R}[0]
{E} = ({R} + {R2})[-1]
{E} = max({R}, key=len)
{E} = next(r for r in {R} if len(r) >= 0)
{E} = {R}[0][:]
n = len({R}) + len({E})
total = int({A}.sum() + {V}.sum())
t = (rows, item)
(t := (more, first))
{R} = list(map(list, {R2}))
{R} = [{E}] * 2
{R} = [{E}, {E2}][:2]
"""

names = {
    f"{kind}{number}": st.sampled_from(known)
    for kind, known in FIELDS.items()
    for number in ("", "2")
}


def filled(template: str) -> st.SearchStrategy[str]:
    """Sources made from a template whose fields are names."""
    fields = {key: strategy for key, strategy in names.items() if f"{{{key}}}" in template}
    return st.fixed_dictionaries(fields).map(lambda chosen: template.format(**chosen))


lines = [line.replace("\\n", "\n") for line in TEMPLATES.strip().splitlines()]
statements = st.one_of(*map(filled, lines))
cells = st.lists(statements, min_size=1, max_size=3).map("\n".join)
tags = st.sampled_from(["transformer", "transformer", "transformer", "exporter", "continue"])
notebooks = st.lists(st.tuples(tags, cells), min_size=2, max_size=6)


@given(notebooks)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_names_share_is_what_they_share_in_the_notebook(
    generated: list[tuple[str, str]],
) -> None:
    """Whoever holds, views, copies or changes what, in whichever cell."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates `inplace`
        path = notebook(Path(folder), *START, *generated, END)
        assume(analyze_notebook(read_notebook(path)).is_valid)
        try:
            golden = run_both(path)
        except NotebookFailedError:
            assume(False)
            raise
        assert_same(golden)
