"""Where figures of pyplot end is written into block files, and only where it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_blocks.binding import NotebookPipeline, analyze_notebook
from jupyter_blocks.blockfile import without_header
from jupyter_blocks.codegen import block_text
from jupyter_blocks.export import export_notebook
from jupyter_blocks.flowback import flow_back
from jupyter_blocks.notebook import parse_notebook, read_notebook
from jupyter_blocks.project import open_project
from jupyter_blocks.unexport import notebook_from_pipeline
from tests.notebooks import Source, notebook, notebook_document

PLT = "import matplotlib.pyplot as plt"
IMPORTS = f"{PLT}\nimport pandas as pd\nimport seaborn as sns\nimport sklearn.metrics\nimport odd"
PLAIN = "import pandas as pd\nimport odd"


def analyzed(*cells: Source) -> NotebookPipeline:
    document = json.dumps(notebook_document(*cells)).encode()
    return analyze_notebook(parse_notebook(document, Path("demo.ipynb")))


def ends(imports: str, *sources: str) -> list[int]:
    """After which of these cells of one block its file says that a cell ends."""
    cells = [
        ("transformer:draw" if not number else "continue", source)
        for number, source in enumerate(sources)
    ]
    pipeline = analyzed(("imports", imports), ("functions", FUNCTIONS), ("loader", LOAD), *cells)
    parts = pipeline.block("draw").code.parts
    return [number for number, part in enumerate(parts, start=1) if part.ends_figures]


LOAD = "df = pd.DataFrame({'a': [1]})\nmodel, k = odd.load(df), 1"
FUNCTIONS = """
def picture(x):
    return inner(x)

def inner(x):
    plt.plot(x)

def double(x):
    return x * 2

class Chart:
    def render(self, x):
        picture(x)
"""
END = "plt.title('end')"

DRAWING = [
    "plt.plot(df)",
    "for x in df:\n    plt.plot(x)",
    "df['a'].plot()",
    "df.plot.bar()",
    "ax = df['a'].hist()",
    "sns.lineplot(df)",
    "pd.plotting.scatter_matrix(df)",
    "sklearn.metrics.ConfusionMatrixDisplay.from_predictions(df, df)",
    "picture(df)",
    "df.apply(picture)",
    "[inner(x) for x in df]",
    "chart = Chart()",
    "df['chart'].render(df)",
    "odd.show_all(df)",
    "model.report()",
]  # fmt: skip
QUIET = [
    "x = df['a'] * 2",
    "x = double(df)",
    "x = sklearn.metrics.r2_score(df, df)",
    "plt.rcParams['lines.linewidth'] = 2",
    "sns.set_theme()",
    "def later():\n    plt.plot(df)",
    "print(model, k)",
    "from matplotlib import ticker\nf = ticker.NullFormatter()",
]


@pytest.mark.parametrize("source", DRAWING)
def test_a_cell_that_may_draw_ends_before_the_next_that_does(source: str) -> None:
    """Functions that draw are known, and what nobody knows may draw."""
    assert ends(IMPORTS, source, "x = 1", END) == [1]


@pytest.mark.parametrize("source", QUIET)
def test_other_cells_do_not_end(source: str) -> None:
    """Nor does the last one that draws: the block ends there."""
    assert ends(IMPORTS, source, END) == []
    assert ends(IMPORTS, END, source) == []


def test_a_notebook_that_draws_nothing_stays_plain() -> None:
    """Whatever packages it uses."""
    functions = "def picture(x):\n    return x"
    cells = [("loader", LOAD), ("continue", "odd.show(df)"), ("continue", "model.report()")]
    pipeline = analyzed(("imports", PLAIN), ("functions", functions), *cells)
    assert not any(part.ends_figures for part in pipeline.blocks[0].code.parts)


def text(*cells: Source) -> str:
    pipeline = analyzed(*cells)
    assert pipeline.is_valid, pipeline.problems
    return without_header(block_text(pipeline.blocks[-1], pipeline="demo", notebook="demo.ipynb"))


def test_the_file_says_where_a_cell_ends() -> None:
    """Right below its lines."""
    cells = [("loader:draw", "plt.plot([1])"), ("continue", "x = 1"), ("continue", "plt.plot([x])")]
    assert text(("imports", PLT), *cells) == (
        "from jupyter_blocks.decorators import data_loader, end_cell\n"
        "\n"
        "import matplotlib.pyplot as plt\n"
        "\n"
        "\n"
        "@data_loader\n"
        "def draw():\n"
        "    plt.plot([1])\n"
        "    end_cell()\n"
        "\n"
        "    x = 1\n"
        "\n"
        "    plt.plot([x])\n"
        "    return x\n"
    )


def test_a_name_of_the_notebook_stays_its_own() -> None:
    """Ours is then written with its module."""
    cells = [("loader:draw", "end_cell = 3\nplt.plot([1])"), ("continue", "plt.plot([end_cell])")]
    found = text(("imports", PLT), *cells)
    assert "import jupyter_blocks.decorators\n" in found
    assert "    jupyter_blocks.decorators.end_cell()\n" in found


def test_the_file_says_that_figures_stay_open() -> None:
    """Where a magic of the notebook says so; a statement is in the file itself."""
    cells = [("loader:draw", "plt.plot([1])"), ("continue", "plt.plot([2])")]
    found = text(("imports", f"%matplotlib widget\n{PLT}"), *cells)
    assert "\n\nkeep_figures()\n\n\n@data_loader\n" in found
    assert "end_cell" not in found
    found = text(("imports", f"import matplotlib\nmatplotlib.use('agg')\n{PLT}"), *cells)
    assert "matplotlib.use('agg')\n" in found
    assert "keep_figures" not in found


BEGUN = ("loader:one", "plt.plot([1])\nx = 1")
STAYS_OPEN = {
    "a figure of another block": ("%matplotlib widget", "plt.plot([x])", "error"),
    "axes nobody knows": ("%matplotlib notebook", "df = [x]\ndf.plot()", "warning"),
    "a figure of its own": ("%matplotlib widget", "fig, ax = plt.subplots()\nplt.plot([x])", ""),
    "all closed": ("%matplotlib widget", "plt.close('all')\nplt.plot([x])", ""),
    "an option": ("%config InlineBackend.close_figures = False", "plt.plot([x])", "error"),
    "inline": ("%matplotlib inline", "plt.plot([x])", ""),
    "inline at last": ("%matplotlib qt\n%matplotlib inline", "plt.plot([x])", ""),
    "no word of it": ("", "plt.plot([x])", ""),
    "the first of all": ("plt.ioff()", "plt.plot([x])", ""),
}


@pytest.mark.parametrize("name", STAYS_OPEN)
def test_a_block_cannot_go_on_with_the_figure_of_another(name: str) -> None:
    """Which is refused only where figures stay open at all."""
    command, source, severity = STAYS_OPEN[name]
    problems = analyzed(
        ("imports", f"{PLT}\n{command}"), BEGUN, ("transformer:two", source)
    ).problems
    found = [(item.code, item.severity, item.cell) for item in problems]
    assert found == ([("open-figure", severity, 3)] if severity else [])
    for problem in problems:
        assert f"cell 2 has begun: because of '{command}' (cell 1)" in problem.message


EDITS = {
    "a line above": (
        "    end_cell()",
        "    plt.grid()\n    end_cell()",
        2,
        "plt.plot([1])\nplt.grid()",
    ),
    "a line below": (
        "    end_cell()\n",
        "    end_cell()\n    n = 2\n",
        3,
        "n = 2\n\nplt.plot([2])",
    ),
    "a changed line": ("plt.plot([2])", "plt.plot([2, 4])", 3, "plt.plot([2, 4])"),
}


@pytest.mark.parametrize("name", EDITS)
def test_marks_of_ours_never_come_back_as_code(tmp_path: Path, name: str) -> None:
    """An edited block file goes back to its cells without them."""
    old, new, cell, expected = EDITS[name]
    path = notebook(
        tmp_path,
        ("imports", f"%matplotlib inline\n{PLT}"),
        ("loader:draw", "plt.plot([1])"),
        ("continue", "plt.plot([2])"),
    )
    assert export_notebook(path).is_ok
    file = tmp_path / "data_loaders" / "draw.py"
    before = file.read_text("utf-8")
    assert before.count("end_cell()") == 1
    file.write_text(before.replace(old, new, 1), "utf-8")
    result = flow_back(path, tmp_path)
    assert result.is_ok, (result.problems, result.conflicts)
    cells = [item.source for item in read_notebook(path).cells]
    assert cells[cell - 1] == expected
    assert not any("end_cell" in source for source in cells)
    assert not export_notebook(path, check=True).has_drifted


def test_a_cell_cannot_be_made_to_go_on(tmp_path: Path) -> None:
    """A mark that was removed from a file has no line in the notebook; that is said."""
    cells = [("loader:draw", "plt.plot([1])"), ("continue", "plt.plot([2])")]
    path = notebook(tmp_path, ("imports", PLT), *cells)
    assert export_notebook(path).is_ok
    file = tmp_path / "data_loaders" / "draw.py"
    file.write_text(file.read_text("utf-8").replace("    end_cell()\n", ""), "utf-8")
    result = flow_back(path, tmp_path)
    assert [problem.code for problem in result.problems] == ["cannot-flow-back"]


def test_an_edited_file_becomes_as_many_cells(tmp_path: Path) -> None:
    """A notebook made from the project ends figures where the file does."""
    cells = [("loader:draw", "plt.plot([1])"), ("continue", "plt.plot([2])\nx = 3")]
    path = notebook(tmp_path, ("imports", PLT), *cells)
    assert export_notebook(path).is_ok
    path.unlink()
    file = tmp_path / "data_loaders" / "draw.py"
    file.write_text(file.read_text("utf-8").replace("plt.plot([2])", "plt.plot([4])"), "utf-8")
    project = open_project(tmp_path)
    document = notebook_from_pipeline(project, project.pipeline("demo"))
    sources = ["".join(cell["source"]) for cell in document["cells"]]
    assert sources[-2:] == ["plt.plot([1])", "plt.plot([4])\nx = 3"]
