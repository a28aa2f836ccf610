"""Blocks that use the same file run in the order of the notebook."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.binding.filepaths import FileUse, file_calls, file_uses
from jupyter_blocks.notebook import read_notebook
from tests.notebooks import Source, notebook

IMPORTS = (
    "",
    "import json, os, shutil\nfrom pathlib import Path\nimport pandas as pd\nimport sqlite3",
)

USES: list[tuple[str, list[tuple[str, bool]]]] = [
    ("df.to_csv('out/a.csv', sep=';')", [("out/a.csv", True)]),
    ("pd.read_csv('./out//a.csv')", [("out/a.csv", False)]),
    ("open('a.txt')", [("a.txt", False)]),
    ("open('a.txt', 'w')", [("a.txt", True)]),
    ("open('a.txt', mode='rb')", [("a.txt", False)]),
    ("open('notes', 'a+')", [("notes", True)]),
    ("Path('a.json').write_text('x.y')", [("a.json", True), ("x.y", True)]),
    ("json.loads(Path('a.json').read_text())", [("a.json", False)]),
    ("(Path('data') / 'a.csv').open('w')", [("data/a.csv", True)]),
    ("np.load(os.path.join('data', 'a.npy'))", [("data/a.npy", False)]),
    ("np.save('a', x)", [("a.npy", True)]),
    ("fig.savefig('plot')", [("plot.png", True)]),
    ("os.makedirs('out', exist_ok=True)", [("out", True)]),
    ("os.listdir('out')", [("out", False)]),
    ("glob.glob('out/*.csv')", [("out", False)]),
    ("sqlite3.connect('a.db')", [("a.db", True)]),
    ("create_engine('sqlite:///data/a.db')", [("data/a.db", True)]),
    ("pd.read_csv(FILE)", [("folder/given.csv", False)]),
    ("df.to_parquet(f'{FILE}.parquet')", [("folder/given.csv.parquet", True)]),
    ("pd.read_csv('https://example.org/a.csv')", []),
    ("df.query('a > 1')", []),
    ("print('done.')", []),
    ("df.to_csv(name)", []),
    ("df['a.b'].mean()", []),
]


@pytest.mark.parametrize(("code", "expected"), USES, ids=[code for code, _ in USES])
def test_files_in_calls(code: str, expected: list[tuple[str, bool]]) -> None:
    """Path and whether it is written, where the text says so."""
    calls = file_calls(ast.walk(ast.parse(code)))
    found = file_uses(calls, {"FILE": "folder/given.csv"})
    assert sorted({(use.path, use.writes) for use in found}) == sorted(expected)


def test_the_line_is_that_of_the_call() -> None:
    """Lines count within the cell."""
    calls = file_calls(ast.walk(ast.parse("x = 1\npd.read_csv(\n    'a.csv',\n)")))
    (use,) = file_uses(calls, {})
    assert use == FileUse("a.csv", writes=False, line=2)


ORDERS: dict[str, tuple[Sequence[Source], dict[str, tuple[str, ...]]]] = {
    "written, then read": (
        (
            ("loader:a", "Path('a.txt').write_text('1')"),
            ("loader:b", "x = Path('a.txt').read_text()"),
        ),
        {"b": ("a",)},
    ),
    "read, then written again": (
        (
            ("loader:a", "x = Path('a.txt').read_text()"),
            ("loader:b", "y = Path('a.txt').read_text()"),
            ("loader:c", "Path('a.txt').write_text('1')"),
            ("loader:d", "z = Path('a.txt').read_text()"),
        ),
        {"c": ("b", "a"), "d": ("c",)},
    ),
    "a folder and what is in it": (
        (
            ("loader:a", "os.makedirs('out')"),
            ("loader:b", "Path('out/x.txt').write_text('1')"),
            ("loader:c", "names = os.listdir('out')"),
            ("loader:d", "other = Path('outer/x.txt').exists()"),
        ),
        {"b": ("a",), "c": ("b", "a")},
    ),
    "a folder made by the first of two": (
        (
            ("loader:a", "Path('out').mkdir(exist_ok=True)\nPath('out/x.txt').write_text('1')"),
            ("loader:b", "Path('out/y.txt').write_text('1')"),
        ),
        {"b": ("a",)},
    ),
    "a folder made by each, for files of its own": (
        (
            ("loader:a", "Path('out').mkdir(exist_ok=True)\nPath('out/x.txt').write_text('1')"),
            ("loader:b", "os.makedirs('out/in', exist_ok=True)\nopen('out/y.txt', 'w')"),
            ("loader:c", "os.makedirs('out', exist_ok=True)\nx = open('out/x.txt').read()"),
        ),
        {"c": ("a",)},
    ),
    "a folder removed, then made again": (
        (
            ("loader:a", "Path('out').mkdir(exist_ok=True)\nPath('out/x.txt').write_text('1')"),
            ("loader:b", "shutil.rmtree('out')"),
            ("loader:c", "os.makedirs('out', exist_ok=True)"),
        ),
        {"b": ("a",), "c": ("b",)},
    ),
    "a name for the path": (
        (
            ("imports", "OUT = Path('out')\nFILE = OUT / 'x.csv'"),
            ("loader:a", "pd.DataFrame({'a': [1]}).to_csv(FILE)"),
            ("loader:b", "df = pd.read_csv(Path('out') / 'x.csv')"),
        ),
        {"b": ("a",)},
    ),
    "functions of the notebook": (
        (
            ("functions", "def keep(df, path):\n    df.to_csv(path)"),
            ("functions", "def look():\n    return pd.read_csv('x.csv')"),
            ("loader:a", "keep(pd.DataFrame({'a': [1]}), 'x.csv')"),
            ("loader:b", "df = look()"),
        ),
        {"b": ("a",)},
    ),
    "paths put together": (
        (
            ("imports", "OUT = Path('out')\nYEAR = 2024"),
            ("loader:a", "pd.DataFrame({'a': [1]}).to_csv(os.path.join('out', 'x.csv'))"),
            ("loader:b", "df = pd.read_csv(OUT.joinpath('x.csv'))"),
            ("loader:c", "pd.DataFrame({'a': [1]}).to_csv(f'{OUT}/{YEAR}.csv')"),
            ("loader:d", "df2 = pd.read_csv('out/' + str(2024) + '.csv')"),
            ("loader:e", "df3 = pd.read_csv('out/%s.csv' % YEAR)"),
            ("loader:f", "df4 = pd.read_csv('out/{}.csv'.format(YEAR))"),
        ),
        {"b": ("a",), "d": ("c",), "e": ("c",), "f": ("c",)},
    ),
    "a database": (
        (
            (
                "loader:a",
                "with sqlite3.connect('x.db') as db:\n    db.execute('create table t (a)')",
            ),
            (
                "loader:b",
                "n = sqlite3.connect('x.db').execute('select count(*) from t').fetchone()",
            ),
        ),
        {"b": ("a",)},
    ),
    "data says it already": (
        (
            ("loader:a", "x = Path('a.txt').write_text('1')"),
            ("transformer:b", "y = x, Path('a.txt').read_text()"),
        ),
        {"b": ("a",)},
    ),
    "only read": (
        (
            ("loader:a", "x = pd.read_csv('a.csv')"),
            ("loader:b", "y = pd.read_csv('a.csv')"),
        ),
        {},
    ),
}


@pytest.mark.parametrize(("cells", "expected"), ORDERS.values(), ids=ORDERS)
def test_blocks_wait_for_each_others_files(
    tmp_path: Path, cells: Sequence[Source], expected: dict[str, tuple[str, ...]]
) -> None:
    """A block runs after the last write of what it uses, a write also after the reads before it."""
    draft = analyze_notebook(read_notebook(notebook(tmp_path, IMPORTS, *cells)))
    assert draft.is_valid, draft.problems
    upstream = {block.name: block.upstream for block in draft.blocks if block.upstream}
    assert upstream == expected


def test_the_edge_says_where(tmp_path: Path) -> None:
    """For the graph and for messages."""
    cells = ORDERS["written, then read"][0]
    draft = analyze_notebook(read_notebook(notebook(tmp_path, IMPORTS, *cells)))
    (edge,) = draft.block("b").edges
    assert (edge.kind, edge.definer, edge.definer_cell, edge.reader_cell) == ("file", "a", 2, 3)
