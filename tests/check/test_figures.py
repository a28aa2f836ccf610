"""Figures of pyplot, in a real kernel and in the pipeline: both end them at the same places.

Jupyter's backend shows figures and closes them, at the end of each cell and at `plt.show()`. What
`plt.title(...)` or `series.plot()` draws on depends on that.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.check import CheckResult
from tests.check.checking import check, names
from tests.notebooks import Source

IMPORTS = ("imports", "import pandas as pd\nimport matplotlib.pyplot as plt")
LOAD = ("loader:load", "s = pd.Series([1.0, 2.0, 4.0])")
COUNT = "n = len(plt.gca().lines), plt.get_fignums(), plt.gca().get_title()"


def joined(name: str, *sources: str) -> list[Source]:
    """Cells of one block."""
    return [
        (f"transformer:{name}" if number == 0 else "continue", source)
        for number, source in enumerate(sources)
    ]


def assert_equal(result: CheckResult, *outputs: tuple[str, str]) -> None:
    """Everything was compared, these outputs among it, and is the same."""
    assert result.ok, result.as_json()
    assert not result.not_comparable, result.as_json()
    assert set(outputs) <= set(names(result.equal))


@pytest.mark.parametrize("backend", ["", "agg", "svg"])
def test_a_figure_ends_with_its_cell(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In joined cells too, whatever backend the shell names."""
    monkeypatch.delenv("MPLBACKEND", raising=False)
    if backend:
        monkeypatch.setenv("MPLBACKEND", backend)
    result = check(
        tmp_path,
        IMPORTS,
        LOAD,
        *joined("draw", "plt.plot(s)", "plt.plot(s * 2)", "ax = s.plot(); ax"),
        ("exporter:look", "n = ax.get_title(), len(ax.lines)\nn"),
    )
    assert_equal(result, ("draw", "ax"), ("look", "n"))


def test_figures_end_where_the_notebook_ends_them(tmp_path: Path) -> None:
    """At `plt.show()`, whatever it is given; in functions; with and without names."""
    result = check(
        tmp_path,
        IMPORTS,
        ("functions", "def draw(x):\n    plt.plot(x)\n    plt.title('drawn')"),
        ("functions", "class Chart:\n    def render(self, x):\n        draw(x)"),
        LOAD,
        *joined("show", f"plt.plot(s)\nplt.show()\nplt.plot(s)\n{COUNT}\na = n"),
        *joined("show_args", f"f = plt.figure()\nplt.show(f)\nplt.plot(s)\n{COUNT}\nb = n"),
        *joined("show_not", f"plt.plot(s)\nplt.show(False)\nplt.plot(s)\n{COUNT}\nc = n"),
        *joined("helper", "draw(s)", f"{COUNT}\nd = n"),
        *joined("method", "chart = Chart()", "chart.render(s)", f"{COUNT}\ne = n"),
        *joined("named", "fig, ax = plt.subplots()", "plt.plot(s)", "g = len(ax.lines)"),
        *joined("current", "fig2 = plt.figure()", "fig2.gca().plot(s)", f"{COUNT}\ni = n"),
        *joined("inside", "with plt.rc_context():\n    plt.plot(s)", f"{COUNT}\nk = n"),
        # Last: older releases of matplotlib leave such a figure open in the notebook.
        *joined("again", "ax3 = plt.axes()", "plt.sca(ax3)\nplt.title('x')", f"{COUNT}\nj = n"),
        ("exporter:save", "print(a, b, c, d, e, g, i, j, k)"),
    )  # fmt: skip
    found = [("show", "a"), ("show_args", "b"), ("show_not", "c"), ("helper", "d"), ("method", "e")]
    found += [("named", "g"), ("current", "i"), ("again", "j"), ("inside", "k")]
    assert_equal(result, *found)


def test_a_test_begins_without_a_figure(tmp_path: Path) -> None:
    """It is a cell of its own."""
    result = check(
        tmp_path,
        IMPORTS,
        LOAD,
        ("transformer:draw", "plt.plot(s)\nn = len(s)"),
        ("test:draw", "assert plt.get_fignums() == []"),
        ("exporter:save", "print(n)"),
    )
    assert_equal(result, ("draw", "n"))


KEEPING = {
    "an option": ("imports", "%config InlineBackend.close_figures = False"),
    "another backend": ("imports", "%matplotlib agg"),
    "a call": ("imports", "import matplotlib\nmatplotlib.use('agg')"),
    "a switch": ("imports", "import matplotlib.pyplot as plt\nplt.switch_backend('agg')"),
    "only inline": ("imports", "%matplotlib agg\n%matplotlib inline"),
}


@pytest.mark.parametrize("name", KEEPING)
def test_figures_stay_open_where_the_notebook_wants_it(tmp_path: Path, name: str) -> None:
    """Over cells, and when they are shown."""
    result = check(
        tmp_path,
        KEEPING[name],
        IMPORTS,
        LOAD,
        *joined("draw", "plt.figure()\nplt.plot(s)", "plt.plot(s * 2)\nplt.show()", COUNT),
        *joined("more", "plt.close('all')\nplt.plot(s)", f"{COUNT}\nm = n"),
        ("exporter:save", "print(n, m)"),
    )
    assert_equal(result, ("draw", "n"), ("more", "m"))


def test_figures_stay_open_while_none_are_shown(tmp_path: Path) -> None:
    """`plt.ioff()` after the first figure; then `plt.show()` ends them."""
    result = check(
        tmp_path,
        IMPORTS,
        LOAD,
        *joined("first", "plt.plot(s)\nx = 1"),
        *joined("off", "plt.ioff()\nplt.plot(s)", f"{COUNT}\na = n", f"plt.show()\n{COUNT}\nb = n"),
        *joined("on", "plt.show()\nplt.ion()\nplt.plot(s)", f"{COUNT}\nc = n"),
        ("exporter:save", "print(x, a, b, c)"),
    )
    assert_equal(result, ("off", "a"), ("off", "b"), ("on", "c"))


def test_the_defaults_of_matplotlib_before_the_first_figure(tmp_path: Path) -> None:
    """They say that figures are not shown, which Jupyter's backend undoes when it loads."""
    result = check(
        tmp_path,
        ("imports", f"{IMPORTS[1]}\nplt.rcParams.update(plt.rcParamsDefault)"),
        LOAD,
        *joined("draw", "plt.plot(s)", COUNT),
        ("exporter:save", "print(n)"),
    )
    assert_equal(result, ("draw", "n"))
