"""`check`: real notebooks and the pipelines made from them, run and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.check import check_notebook
from jupyter_blocks.errors import ValidationError
from tests.check.checking import IN_A_KERNEL, check, details, names
from tests.notebooks import notebook

TOTAL = """
@transformer
def total(table, *, factor):
    return {"sum": int(table.n.sum()), "factor": factor}
"""

ODD = """
import pickle, sys

class Odd:
    def __reduce__(self):
        self.pickled = getattr(self, "pickled", 0) + 1
        if "jupyter_blocks.check.comparison" in sys.orig_argv:
            raise TypeError('it holds a secret')
        return make, (sys.argv[0],)

def make(_):
    return Odd()
"""


def test_every_output_of_every_block_is_compared(tmp_path: Path) -> None:
    """Plain and decorated blocks, parameters, helpers, files beside the notebook."""
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    result = check(
        tmp_path,
        ("imports", "import pandas as pd\nfrom jupyter_blocks.decorators import transformer"),
        ("parameters", "factor = 2"),
        ("functions", "def scaled(table):\n    return table * factor"),
        ("loader:load", "numbers = pd.read_csv('numbers.csv')\nname = 'n'"),
        ("transformer:scale", "table = scaled(numbers)\ntable[name] += 1"),
        ("transformer:total", TOTAL),
        ("", "table = None  # after the blocks; what they gave was taken before"),
    )
    assert result.ok
    assert names(result.equal) == [
        ("load", "numbers"),
        ("load", "name"),
        ("scale", "table"),
        ("total", "total"),
    ]
    assert list(tmp_path.glob("**/metadata.yaml")) == []


def test_a_difference_names_block_cell_and_line(tmp_path: Path) -> None:
    """And what follows from it is said to."""
    result = check(
        tmp_path,
        ("loader:load", f"{IN_A_KERNEL}\nsame = 1"),
        ("transformer:count", "n = same + in_a_kernel"),
        ("transformer:other", "m = same + 1"),
        ("exporter:save", "print(n, m)"),
    )
    assert not result.ok
    assert names(result.equal) == [("load", "same"), ("other", "m")]
    origin, follower = result.different
    assert (origin.block, origin.name, origin.cell, origin.line) == ("load", "in_a_kernel", 1, 2)
    assert origin.detail == "cell 1, line 2: True in the notebook, False in the pipeline"
    assert follower.follows_from == ("load.in_a_kernel",)
    assert follower.detail == (
        "follows from 'in_a_kernel' of 'load': 2 in the notebook, 1 in the pipeline"
    )
    assert result.origins == (origin,)


def test_a_column_is_traced_to_the_line_that_sets_it(tmp_path: Path) -> None:
    """Not to the line that made the table."""
    result = check(
        tmp_path,
        ("loader:load", "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})"),
        (
            "transformer:extend",
            f"{IN_A_KERNEL}df['b'] = in_a_kernel\ndf['c'] = 1\ndf = df.rename(columns={{}})",
        ),
        ("exporter:save", "print(df)"),
    )
    (entry,) = result.different
    assert entry.detail == (
        "cell 2, line 3: column 'b': 2 of 2 values differ, the first at row 0: "
        "True in the notebook, False in the pipeline"
    )


def test_a_change_the_pipeline_cannot_see_is_traced_to_its_cell(tmp_path: Path) -> None:
    """Nothing in the text of the second block says that it changes its input."""
    (tmp_path / "tools.py").write_text("def size(xs):\n    xs.append(0)\n    return len(xs)\n")
    result = check(
        tmp_path,
        ("imports", "import tools"),
        ("loader:load", "xs = [1, 2]"),
        ("transformer:measure", "# how many\nn = tools.size(xs)"),
        ("transformer:total", "s = sum(xs) + len(xs)"),
        ("exporter:save", "print(s, n)"),
    )
    (entry,) = result.different
    assert (entry.block, entry.name, entry.cell, entry.line) == ("total", "s", 3, 2)
    assert entry.detail.startswith("cell 3, line 2 of block 'measure' changes 'xs' unseen")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import random\nx = random.random()",
            "random numbers without a seed (cell 1, line 2 draws)",
        ),
        (
            "import numpy as np\nrng = np.random.default_rng()\nx = rng.random()",
            "random numbers without a seed (cell 1, line 2 draws)",
        ),
        (
            "import pandas as pd\nx = pd.Series(range(1000)).sample(9).sum()",
            "random numbers without a seed (cell 1, line 2 draws)",
        ),
        ("import time\n\nx = time.time()", "the time (cell 1, line 3 asks for it)"),
        ("import uuid\nx = uuid.uuid4()", "random numbers without a seed (cell 1, line 2 draws)"),
        ("import os\nx = os.getpid()", "numbers of the process (cell 1, line 2 asks for them)"),
    ],
)
def test_what_varies_by_itself_is_said(tmp_path: Path, source: str, reason: str) -> None:
    """It is no difference between notebook and pipeline; nor is what follows from it."""
    result = check(
        tmp_path,
        ("loader:draw", source),
        ("transformer:after", "y = (x, 1)"),
        ("exporter:save", "print(x, y)"),
    )
    assert result.ok
    assert details(result.not_comparable) == {
        "x": f"the notebook itself gives another value each time: {reason}",
        "y": "the notebook itself gives another value each time: it follows from 'x' of 'draw'",
    }


def test_what_varies_without_a_visible_reason(tmp_path: Path) -> None:
    """It is shown what differs."""
    result = check(
        tmp_path,
        ("loader:load", "from pathlib import Path\nx = Path('/proc/self/stat').read_text()"),
        ("exporter:save", "print(x)"),
    )
    detail = details(result.not_comparable)["x"]
    assert detail.startswith("the notebook itself gives another value each time (")
    assert "in the pipeline)" in detail


def test_seeded_numbers_are_the_same(tmp_path: Path) -> None:
    """A last expression is an output as well."""
    result = check(
        tmp_path,
        ("imports", "import numpy as np"),
        ("loader:draw", "np.random.seed(1)\nfirst = np.random.rand(3)"),
        ("transformer:more", "np.random.seed(2)\nsecond = first + np.random.rand(3)\nsecond.sum()"),
    )
    assert result.ok, result.as_json()
    assert ("draw", "first") in names(result.equal)
    assert ("more", "output_0") in names(result.equal)


def test_one_seed_for_all_blocks(tmp_path: Path) -> None:
    """The streams go from block to block, in the notebook as in the pipeline."""
    result = check(
        tmp_path,
        ("imports", "import random\nimport numpy as np"),
        ("loader:draw", "random.seed(1)\nnp.random.seed(1)\nfirst = np.random.rand(3)"),
        ("transformer:more", "second = [random.random(), np.random.rand()]"),
        ("exporter:save", "print(first, second)"),
    )
    assert result.ok, result.as_json()
    assert names(result.equal) == [("draw", "first"), ("more", "second")]


def test_models_and_figures_are_compared(tmp_path: Path) -> None:
    """By what they learned and what they show."""
    result = check(
        tmp_path,
        (
            "imports",
            (
                "import numpy as np\nimport matplotlib.pyplot as plt\n"
                "from sklearn.linear_model import LinearRegression"
            ),
        ),
        ("functions", "class Scaler:\n    def fit(self, xs):\n        self.top = max(xs)"),
        ("loader:load", "X = np.arange(6.0).reshape(-1, 1)\ny = X[:, 0] * 2"),
        ("transformer:learn", "model = LinearRegression()\nmodel.fit(X, y)"),
        ("transformer:scale", "scaler = Scaler()\nscaler.fit(y)"),
        ("transformer:draw", "fig, ax = plt.subplots()\nax.plot(X[:, 0], model.predict(X))\nfig"),
        ("exporter:save", "print(scaler.top, model.coef_)"),
    )
    assert result.ok, result.as_json()
    assert not result.not_comparable, result.as_json()
    assert {("learn", "model"), ("scale", "scaler"), ("draw", "fig")} <= {*names(result.equal)}


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    """It is not counted as equal, and does not fail the check."""
    result = check(
        tmp_path,
        ("functions", ODD),
        ("loader:load", "odd = [Odd(), 'a thing besides']"),
        ("exporter:save", "print(odd)"),
    )
    assert result.ok
    assert details(result.not_comparable) == {
        "odd": "[0]: Odd cannot be taken apart: it holds a secret; all else is equal"
    }


def test_a_value_that_takes_the_comparison_along(tmp_path: Path) -> None:
    """It is said of this one, and the others are compared."""
    result = check(
        tmp_path,
        (
            "functions",
            ODD.replace("raise TypeError('it holds a secret')", "import os; os._exit(9)"),
        ),
        ("loader:load", "before = object()\nodd = Odd()\nafter = [{1}]"),
        ("exporter:save", "print(before, odd, after)"),
    )
    assert result.ok
    assert names(result.equal) == [("load", "before"), ("load", "after")]
    assert details(result.not_comparable) == {
        "odd": "comparing them ended the process with exit code 9"
    }


def test_a_block_that_fails_in_the_pipeline(tmp_path: Path) -> None:
    """It and what reads it are listed with the reason; other values are compared all the same."""
    flag = tmp_path / "ran"
    source = (
        f"import pathlib\nflag = pathlib.Path({str(flag)!r})\n"
        "assert not flag.exists(), 'second time'\nflag.touch()\nx = 1"
    )
    result = check(
        tmp_path,
        ("loader:good", "y = 1"),
        ("loader:once", source),
        ("transformer:after", "z = x + y"),
    )
    assert names(result.equal) == [("good", "y")]
    assert names(result.failed) == [("once", "x"), ("after", "z")]
    failed = result.failed[0]
    assert failed.detail == ("failed in the pipeline: AssertionError: second time (cell 2, line 3)")
    assert (failed.cell, failed.line) == (2, 3)


def test_a_notebook_that_cannot_run_twice(tmp_path: Path) -> None:
    """Then differences are reported as they are, and that is said."""
    flag = tmp_path / "ran"
    result = check(
        tmp_path,
        ("loader:load", f"{IN_A_KERNEL}"),
        (
            "",
            (
                f"from pathlib import Path\nassert not Path({str(flag)!r}).exists()\n"
                f"Path({str(flag)!r}).touch()"
            ),
        ),
        ("exporter:save", "print(in_a_kernel)"),
    )
    assert names(result.different) == [("load", "in_a_kernel")]
    assert result.notes == (
        "What varies by itself is not known: run again, cell 2: AssertionError: ",
    )


def test_a_notebook_that_fails(tmp_path: Path) -> None:
    """The cell is named, the traceback is kept, and everything counts as failed."""
    result = check(tmp_path, ("loader:load", "x = 1"), ("transformer:broken", "y = x / 0"))
    assert not result.ok
    assert result.error == "cell 2: ZeroDivisionError: division by zero"
    assert names(result.failed) == [("load", "x"), ("broken", "y")]
    assert any("ZeroDivisionError" in line for line in result.log)


def test_a_kernel_that_dies(tmp_path: Path) -> None:
    """It is said in which cell."""
    result = check(tmp_path, ("loader:load", "x = 1"), ("", "import os\nos._exit(7)"))
    assert result.error == "cell 2: its kernel died with exit code 7"


def test_a_notebook_with_mistakes_is_refused(tmp_path: Path) -> None:
    """As export does, before anything runs."""
    path = notebook(tmp_path, ("transformer:clean", "y = missing + 1"))
    with pytest.raises(ValidationError, match="missing"):
        check_notebook(path)


def test_sensors_are_taken_as_satisfied(tmp_path: Path) -> None:
    """The notebook does not wait either."""
    result = check(
        tmp_path,
        ("sensor:wait", "from pathlib import Path\nPath('never').exists()"),
        ("loader:load upstream:wait", "x = 1"),
    )
    assert result.ok
    assert names(result.equal) == [("load", "x")]


def test_progress_is_told(tmp_path: Path) -> None:
    """What is being done, and how far it is."""
    said: list[str] = []
    steps: list[str] = []
    path = notebook(tmp_path, ("loader:load", "x = 1"), ("exporter:save", "print(x)"))
    check_notebook(path, said.append, steps.append)
    assert said == [
        "Running demo.ipynb from top to bottom ...",
        "Running the pipeline 'demo' ...",
        "Comparing ...",
    ]
    assert [steps[0], steps[1], steps[-1]] == ["cell 1 of 2", "cell 2 of 2", "value 1 of 1"]
    assert any("load" in step for step in steps[2:-1])


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither beside the notebook nor in the project around it."""
    path = notebook(tmp_path, ("loader:load", "x = 1"))
    check_notebook(path)
    assert list(tmp_path.iterdir()) == [path]


def test_other_random_numbers_follow_from_the_block_that_drew_more(tmp_path: Path) -> None:
    """A block that goes on with its stream is not where the difference begins."""
    result = check(
        tmp_path,
        ("loader:load", f"{IN_A_KERNEL}import random\nrandom.seed(1)"),
        ("transformer:draw", "xs = [random.random() for _ in range(2 + in_a_kernel)]"),
        ("transformer:go_on", "y = random.random()"),
        ("transformer:rest", "z = 1"),
        ("exporter:save", "print(xs, y, z)"),
    )
    entries = {(entry.block, entry.name): entry for entry in result.different}
    assert entries["go_on", "y"].follows_from == ("draw",)
    assert entries["go_on", "y"].detail.startswith("follows from the random numbers of 'draw'")
    assert ("go_on", "y") not in names(result.origins)
