"""Promises of `suggest`: each cell that matters gets a fitting tag, with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.block import block_name_problem
from jupyter_blocks.suggest import Proposal, SuggestCell, suggest

LOAD = "df = pd.read_csv('data/flights.csv')"
USE = "print(df)"


def proposals(*sources: str) -> list[Proposal]:
    return suggest([SuggestCell(number, source) for number, source in enumerate(sources)])


def tags(*sources: str) -> list[str]:
    return [proposal.tag for proposal in proposals(*sources)]


def test_a_whole_notebook() -> None:
    """The usual notebook: imports, parameters, load, look, clean, join, draw, check, write."""
    assert tags(
        "import pandas as pd\nimport matplotlib.pyplot as plt\npd.set_option('display.width', 99)",
        "month = 1\ncarriers = ['AA', 'UA']",
        "def speed(table):\n    return table['miles'] / table['hours']",
        "flights = pd.read_csv('flights.csv')",
        "flights.head()",
        "weather = pd.read_parquet('weather.parquet')",
        "flights = flights.dropna()\nflights['speed'] = speed(flights)",
        "flights['fast'] = flights['speed'] > 500",
        "joined = flights.merge(weather)",
        "assert len(joined) > 0",
        "joined.plot(x='hour', y='speed')\nplt.show()",
        "report = joined.groupby('carrier').mean()",
        "report.to_csv('out/report.csv')",
    ) == [
        "imports",
        "parameters",
        "functions",
        "loader:load_flights",
        "skip",
        "loader:load_weather",
        "transformer:clean_flights",
        "continue",
        "transformer:make_joined",
        "test:make_joined",
        "continue",
        "transformer:summarize_report",
        "exporter:write_report",
    ]


LOADERS = [
    ("flights = pd.read_csv('a.csv')\nprint(1)", "loader:load_flights"),
    ("flights_df = pd.read_sql('select 1', c)", "loader:load_flights"),
    ("df = pd.read_csv('data/2024/Flight list.csv.gz')", "loader:load_flight_list"),
    ("df = pd.read_csv(f'{folder}/flights.csv')", "loader:load_flights"),
    ("df = sns.load_dataset('penguins')", "loader:load_penguins"),
    ("df = pd.read_csv(path)", "loader:load_df"),
    ("with open('notes.txt') as file:\n    text = file.read()", "loader:load_notes"),
    ("answer = requests.get(url).json()", "loader:load_answer"),
    ("engine = create_engine('sqlite://')", "loader:load_engine"),
    ("iris = load_iris()", "loader:load_iris"),
    ("flüße = pd.read_csv('a.csv')", "loader:load_flusse"),
    ("frames = [pd.read_csv(p) for p in Path('in').glob('*.csv')]", "loader:load_frames"),
    ("table = pd.DataFrame({'a': [1, 2]})", "loader:make_table"),
    ("lines = Path('log.txt').read_text().splitlines()", "loader:load_log"),
]


@pytest.mark.parametrize(("source", "expected"), LOADERS)
def test_a_cell_that_brings_data_in_is_a_loader(source: str, expected: str) -> None:
    """Whatever reads outside data for later cells, or makes the first data, is a loader."""
    names = "flights, flights_df, df, text, answer, engine, iris, flüße, frames, table, lines"
    assert tags(source, f"result = f({names})\nresult")[0] == expected


WRITERS = [
    ("df.to_csv('out/report.csv')", "exporter:write_report"),
    ("df.to_sql('daily', engine)", "exporter:write_daily"),
    ("df.to_parquet(path)", "exporter:write_df"),
    ("df.plot()\nplt.savefig('delays.png')", "exporter:write_delays"),
    ("with open('model.pkl', 'wb') as f:\n    pickle.dump(df, f)", "exporter:write_model"),
    ("Path('a.txt').write_text(str(df))", "exporter:write_a"),
    ("requests.post(url, json=df)", "exporter:write_df"),
    ("np.save('numbers.npy', df)", "exporter:write_numbers"),
]


@pytest.mark.parametrize(("source", "expected"), WRITERS)
def test_a_cell_that_writes_data_out_is_an_exporter(source: str, expected: str) -> None:
    """Writing makes an exporter, unless later cells need something of the cell."""
    assert tags(LOAD, source)[1] == expected


TRANSFORMERS = [
    ("both = df.merge(other)", "transformer:join_both"),
    ("means = df.groupby('a').mean()", "transformer:summarize_means"),
    ("df = df.dropna()", "transformer:clean_df"),
    ("df['x'] = 1", "transformer:change_df"),
    ("model = fresh()\nmodel.fit(df)", "transformer:fit_model"),
    ("total = df['x'] + 1", "transformer:make_total"),
    ("train, test = train_test_split(df)", "transformer:split_test"),
    ("small = df.query('x > 1')", "transformer:select_small"),
    ("text = df.to_csv()", "transformer:make_text"),
    ("df = df.dropna()\ndf.to_csv('copy.csv')", "transformer:clean_df"),
]


@pytest.mark.parametrize(("source", "expected"), TRANSFORMERS)
def test_a_cell_that_computes_is_a_transformer(source: str, expected: str) -> None:
    """The name says what is done, as far as the calls tell, and to what."""
    names = "df, total, both, means, model, train, test, small, text"
    assert tags(LOAD, source, f"result = f({names})\nresult")[1] == expected


LOOKS = [
    "df.head()",
    "df.describe()",
    "print(df.shape)",
    "display(df)",
    "df",
    "df.info();",
    "for column in df:\n    print(column)",
    "del df",
]


@pytest.mark.parametrize("source", LOOKS)
def test_a_cell_that_only_looks_is_skipped(source: str) -> None:
    """What shows values and makes none is no part of a pipeline."""
    assert tags(LOAD, source)[1] == "skip"


DRAWINGS = [
    "df.plot()",
    "plt.plot(df['x'])\nplt.show()",
    "fig, ax = plt.subplots()\nax.bar(df['x'], df['y'])",
    "counts = df['x'].value_counts()\ncounts.plot()",
    "sns.heatmap(df)",
]


@pytest.mark.parametrize("source", DRAWINGS)
def test_a_drawing_belongs_to_the_block_above(source: str) -> None:
    """A figure is kept with the block whose data it shows; without one it is a block itself."""
    imports = "import matplotlib.pyplot as plt\nimport seaborn as sns"
    assert tags(imports, LOAD, source) == ["imports", "loader:load_flights", "continue"]
    assert tags(imports, source.replace("df", "[1]"))[1:] == ["exporter:draw_data"]


def test_a_figure_is_finished_in_the_block_that_began_it() -> None:
    """Axes cannot cross from block to block, so the next cells go on with the same block."""
    draw = "fig, ax = plt.subplots()\nax.plot(df['x'])"
    assert tags(LOAD, draw, "ax.set_title('a')", "fig.savefig('a.png')")[1:] == ["continue"] * 3


def test_changes_right_below_a_transformer_continue_it() -> None:
    """But not below a loader, and not where other data comes in."""
    change = "df['x'] = 1"
    assert tags(LOAD, change, change, USE)[1:3] == ["transformer:change_df", "continue"]
    assert tags(LOAD, "b = df + 1", change, "f(b, df)")[2] == "transformer:change_df"


def test_a_setup_cell_about_the_same_names_ends_a_block() -> None:
    """The cells of a block run in one go, so nothing between them may deal with its names."""
    setup = "def helper():\n    return b"
    assert tags(LOAD, "b = df.sum()", setup, "b = b * 2", "f(b, helper)")[3].startswith("transf")


PARAMETERS = [
    ("n = 1\nname = 'a'", "parameters"),
    ("n: int = 1", "parameters"),
    ("options = {'a': [1, 2.5, None, True]}", "parameters"),
    ("total = 0", "loader:make_total"),
    ("data = [" + "1, " * 50 + "]", "loader:make_data"),
    ("pair = (1, 2)", "loader:make_pair"),
]


@pytest.mark.parametrize(("source", "expected"), PARAMETERS)
def test_plain_values_that_stay_as_they_are_become_parameters(source: str, expected: str) -> None:
    """Values that later cells change, and values no command line can give, are data."""
    later = "total += 1\nresult = f(n, name, options, data, pair)"
    assert tags(source, later)[0] == expected


SETUP = [
    ("import pandas as pd", "imports"),
    ("import warnings\nwarnings.filterwarnings('ignore')", "imports"),
    ("import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 100", "imports"),
    ("%matplotlib inline\nimport numpy as np", "imports"),
    ("import sys\nsys.path.append('..')", "imports"),
    ("%load_ext autoreload\n%autoreload 2\nimport sys\nsys.path.insert(0, '..')", "imports"),
    (
        (
            "import os, sys\nroot = os.path.abspath('..')\nif root not in sys.path:\n"
            "    sys.path.append(root)"
        ),
        "imports",
    ),
    ("import sys\nsys.path += ['..']", "imports"),
    ("from math import *", "imports"),
    ("import math\n\ndef area(r):\n    return math.pi * r * r", "functions"),
    ("class A:\n    pass", "functions"),
    ("LIMIT = 3\n\ndef over(x):\n    return x > LIMIT", "functions"),
    ("folder = Path('x') / 'y'\n\ndef place(n):\n    return folder / n", "functions"),
]


@pytest.mark.parametrize(("source", "expected"), SETUP)
def test_imports_and_definitions_are_setup(source: str, expected: str) -> None:
    """Cells without data of their own go to the module that all blocks share."""
    assert tags(source, "x = f(over, place, area, A)\nx")[0] == expected


def test_a_skipped_cell_never_holds_what_later_cells_need() -> None:
    """A cell that looks at something and imports, too, is setup or goes on with a block."""
    assert tags("import sys\nprint(sys.version)", "x = sys.path\nx")[0] == "imports"
    assert tags(LOAD, "from a import b\ndf.head()", "c = b(df)\nc")[1] == "continue"


def test_a_decorated_function_says_itself_what_it_is() -> None:
    """Its decorator is the type of the block, its name the name."""
    source = "@data_loader\ndef load_flights():\n    return 1"
    assert tags(source) == ["loader:load_flights"]


def test_functions_of_the_notebook_are_looked_into() -> None:
    """`flights = load()` reads outside data if the function `load` does."""
    define = "def prepare(p):\n    return pd.read_csv(p)\n\ndef keep(t):\n    t.to_csv('kept.csv')"
    found = tags(define, "flights = prepare('a.csv')", "keep(flights)")
    assert found == ["functions", "loader:load_flights", "exporter:write_flights"]


def test_cells_without_code_get_no_tag() -> None:
    """Nothing is proposed for empty cells, comments and lines for the notebook alone."""
    assert proposals("", "# only a comment", "'a text'", "%matplotlib inline", "pass") == []


def test_cells_that_cannot_be_exported_are_skipped_with_the_reason() -> None:
    """A wrong cell is named with its line, a shell command with its remedy."""
    wrong, shell = proposals("x = = 1", "!ls")
    assert (wrong.tag, shell.tag) == ("skip", "skip")
    assert "line 1" in wrong.reason
    assert "subprocess.run(['ls'], check=True)" in shell.reason


def test_a_block_never_has_a_name_that_the_notebook_uses() -> None:
    """A function `load_flights` and a block of that name would be in each other's way."""
    define = "def load_flights():\n    return pd.read_csv('a.csv')"
    assert tags(define, "flights = load_flights()", "f(flights)")[1] == "loader:load_flights_2"


cells = st.sampled_from(
    [source for source, _tag in (*LOADERS, *WRITERS, *TRANSFORMERS, *PARAMETERS, *SETUP)]
    + [*LOOKS, *DRAWINGS, "", "x = = 1", "!ls", "assert len(df)", "main()", "@sensor\ndef s(): 1"]
)


@given(st.lists(cells, max_size=8))
def test_every_proposal_can_be_applied(sources: list[str]) -> None:
    """Tags are well formed, block names valid and unique, reasons one sentence."""
    found = proposals(*sources)
    assert [proposal.index for proposal in found] == sorted({p.index for p in found})
    named = [proposal.tag.partition(":") for proposal in found if ":" in proposal.tag]
    blocks = [name for kind, _, name in named if kind not in {"test", "sensor"}]
    assert len(blocks) == len(set(blocks))
    assert {name for kind, _, name in named if kind == "test"} <= {*blocks, "s"}
    assert [block_name_problem(name) for name in blocks] == [""] * len(blocks)
    plain = {"imports", "functions", "parameters", "continue", "skip"}
    assert {p.tag for p in found if ":" not in p.tag} <= plain
    assert all(proposal.reason.endswith(".") for proposal in found)
    assert not found or found[0].tag != "continue"
