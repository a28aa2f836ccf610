"""Random numbers of a seeded notebook are those of the notebook, in whatever process."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blocks import randomstreams
from jupyter_blocks.binding import NotebookPipeline, analyze_notebook
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.opening import open_target
from jupyter_blocks.variables.store import VariableStore
from tests.golden import assert_same, run_both
from tests.notebooks import Source, notebook

IMPORTS = ("", "import random\nimport numpy as np\nimport pandas as pd")

CASES: dict[str, tuple[Source, ...]] = {
    "a seed in setup": (
        ("", "import numpy as np\nnp.random.seed(42)"),
        ("loader", "x = np.random.rand(3)"),
        ("transformer", "y = x + np.random.randn(3)"),
    ),
    "a seed in setup with other settings, two on one line": (
        ("", "import random, numpy as np\nnp.set_printoptions(precision=3); random.seed(1)"),
        ("loader", "x = random.random()"),
        ("transformer", "y = x + random.gauss(0, 1)"),
        ("transformer", "z = y + random.gauss(0, 1)"),
    ),
    "a seed in a block, both streams": (
        IMPORTS,
        ("loader", "np.random.seed(0)\nrandom.seed(0)\nn = 5"),
        ("loader", "x = [random.randrange(100) for _ in range(n)]"),
        ("loader", "y = np.random.permutation(n)"),
        ("transformer", "z = random.sample(x, 2), float(np.random.rand())"),
    ),
    "a new seed on the way": (
        IMPORTS,
        ("loader", "np.random.seed(0)\na = np.random.rand()"),
        ("loader", "b = np.random.rand()"),
        ("", "np.random.seed(1)"),
        ("loader", "c = np.random.rand()"),
        ("loader", "d = np.random.rand()"),
    ),
    "draws inside functions and classes of the notebook": (
        IMPORTS,
        ("functions", "def noise(n):\n    return np.random.normal(size=n)"),
        (
            "functions",
            (
                "class Walk:\n    def __init__(self):\n        self.at = 0.0\n"
                "    def step(self):\n        self.at += noise(1)[0]\n        return self.at"
            ),
        ),
        ("functions", "def begin(seed):\n    np.random.seed(seed)"),
        ("loader", "begin(3)\nx = noise(2)"),
        ("loader", "walk = Walk()\nfirst = walk.step()"),
        ("transformer", "second = walk.step() + x.sum()"),
    ),
    "draws inside pandas": (
        IMPORTS,
        ("loader", "np.random.seed(0)\ndf = pd.DataFrame({'a': range(50)})"),
        ("transformer", "part = df.sample(5)"),
        ("transformer", "rest = df.sample(frac=0.2)"),
    ),
    "names imported one by one": (
        ("", "from random import seed, choice\nfrom numpy import random as npr"),
        ("loader", "seed(5)\nnpr.seed(5)"),
        ("loader", "a = choice('abcdefgh')"),
        ("loader", "b = float(npr.uniform())"),
        ("loader", "c = choice('abcdefgh')"),
    ),
    "numbers with a normal one left over": (
        IMPORTS,
        ("loader", "random.seed(1)\nnp.random.seed(1)\na = random.gauss(0, 1), np.random.randn()"),
        ("loader", "b = random.gauss(0, 1), np.random.randn()"),
    ),
    "a function handed on": (
        IMPORTS,
        ("loader", "np.random.seed(0)\ndf = pd.DataFrame({'a': range(9)})"),
        ("transformer", "mixed = df.apply(np.random.permutation)"),
        ("transformer", "more = df['a'].map(lambda x: x + np.random.rand())"),
    ),
    "decorated functions": (
        ("", "import numpy as np\nfrom jupyter_blocks.decorators import data_loader, transformer"),
        ("loader", "@data_loader\ndef load():\n    np.random.seed(1)\n    return np.random.rand()"),
        ("transformer", "@transformer\ndef more(load):\n    return load + np.random.rand()"),
    ),
}


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
def test_numbers_are_those_of_the_notebook(cells: Sequence[Source], tmp_path: Path) -> None:
    """Each block in a module of its own, with streams of its own but for what is carried."""
    assert_same(run_both(notebook(tmp_path, *cells)))


def analyzed(tmp_path: Path, *cells: Source) -> NotebookPipeline:
    return analyze_notebook(read_notebook(notebook(tmp_path, *cells)))


def carried(draft: NotebookPipeline) -> dict[str, Any]:
    return {block.name: block.random_streams for block in draft.blocks}


def test_without_a_seed_blocks_stay_free(tmp_path: Path) -> None:
    """Numbers that are meant to differ need no order."""
    cells = (IMPORTS, ("loader:a", "x = np.random.rand()"), ("loader:b", "y = np.random.rand()"))
    draft = analyzed(tmp_path, *cells)
    assert carried(draft) == {"a": None, "b": None}
    assert [block.upstream for block in draft.blocks] == [(), ()]


def test_blocks_that_do_not_draw_stay_free(tmp_path: Path) -> None:
    """Only what may draw waits for what drew before."""
    draft = analyzed(
        tmp_path,
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nx = np.random.rand()"),
        ("loader:b", "y = pd.Series(range(5)).mean() + np.sqrt(4)"),
        ("loader:c", "rng = np.random.default_rng(1)"),
        ("loader:d", "z = np.random.rand()"),
    )
    assert carried(draft) == {"a": "", "b": None, "c": None, "d": "a"}
    edge = draft.block("d").edges[-1]
    assert (edge.definer, edge.kind, edge.reader_cell, edge.reader_line) == ("a", "random", 5, 1)


def test_a_block_with_a_seed_of_its_own_starts_anew(tmp_path: Path) -> None:
    """As long as it seeds every stream the notebook seeds."""
    draft = analyzed(
        tmp_path,
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nx = np.random.rand()"),
        ("loader:b", "np.random.seed(1)\ny = np.random.rand()"),
        ("loader:c", "if y > 2:\n    np.random.seed(1)\nz = np.random.rand()"),
    )
    assert carried(draft) == {"a": "", "b": "", "c": "b"}
    both = analyzed(
        tmp_path,
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nrandom.seed(0)"),
        ("loader:b", "np.random.seed(1)\ny = np.random.rand()"),
        ("loader:c", "z = random.random()"),
    )
    assert carried(both) == {"a": "", "b": "a", "c": "b"}


def test_libraries_that_may_draw_are_carried_along(tmp_path: Path) -> None:
    """Models and splits draw from numpy's stream without a word of it in the cell."""
    draft = analyzed(
        tmp_path,
        ("", "import numpy as np\nfrom sklearn.model_selection import train_test_split"),
        ("", "from sklearn.metrics import accuracy_score"),
        ("loader:a", "np.random.seed(0)\nx = list(range(10))"),
        ("transformer:b", "train, test = train_test_split(x)"),
        ("transformer:c", "score = accuracy_score(train, train)"),
    )
    assert carried(draft) == {"a": "", "b": "a", "c": None}


def test_methods_that_say_they_draw_are_carried_along(tmp_path: Path) -> None:
    """Objects of any library may draw; the name of the method tells."""
    draft = analyzed(
        tmp_path,
        ("imports", "import numpy as np"),
        ("loader:a", "np.random.seed(0)\nprocess = {}"),
        ("transformer:b", "drawn = process.generate_sample(5)"),
        ("transformer:c", "bands = process.errband_mc()"),
        ("transformer:d", "kept = process.items()"),
    )
    assert carried(draft) == {"a": "", "b": "a", "c": "b", "d": None}


@pytest.mark.parametrize(
    ("cell", "word"),
    [("print(np.random.rand())", "draws"), ("np.random.seed(2)\nprint(3)", "seeds")],
)
def test_a_left_out_cell_that_draws_is_refused(tmp_path: Path, cell: str, word: str) -> None:
    """The blocks below it would draw other numbers than in the notebook."""
    draft = analyzed(
        tmp_path,
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nx = np.random.rand()"),
        ("", cell),
        ("loader:b", "y = np.random.rand()"),
    )
    problem = next(item for item in draft.problems if item.code == "random-left-out")
    assert (problem.cell, problem.severity) == (3, "error")
    assert f"{word} " in problem.message
    assert "block 'b' (cell 4)" in problem.message


def test_blocks_cannot_draw_in_turns(tmp_path: Path) -> None:
    """A block runs as a whole."""
    draft = analyzed(
        tmp_path,
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nx = np.random.rand()"),
        ("loader:b", "y = np.random.rand()"),
        ("loader:a", "z = np.random.rand()"),
    )
    assert "random-order" in {item.code for item in draft.problems if item.severity == "error"}


def test_states_survive_json() -> None:
    """Both streams, with the normal number each may hold back."""
    random.seed(3)
    np.random.seed(3)
    random.gauss(0, 1)
    np.random.randn()
    states = json.loads(json.dumps(randomstreams.capture()))
    expected = [(random.gauss(0, 1), random.random(), np.random.randn()) for _ in range(700)]
    random.seed(4)
    np.random.seed(4)
    randomstreams.restore(states)
    assert [
        (random.gauss(0, 1), random.random(), np.random.randn()) for _ in range(700)
    ] == expected


def test_in_worker_processes(tmp_path: Path) -> None:
    """The same numbers with any number of workers, and with the rest of a run only."""
    path = notebook(tmp_path, *CASES["a seed in a block, both streams"])
    golden = run_both(path)
    opened = open_target(str(path), None, tmp_path)

    def run(**request: Any) -> None:
        launch = prepare(opened.project, opened.pipeline, RunRequest(**request))
        with launch.dispatcher() as dispatcher:
            assert str(dispatcher.run().status) == "SUCCEEDED"

    last = golden.draft.blocks[-1].name
    store = VariableStore(opened.project.variables_root)
    for request in ({"max_workers": 1}, {"max_workers": 2}, {"blocks": (last,)}):
        run(**request)
        manifest = store.latest(golden.draft.name, last)
        assert manifest is not None
        assert store.load(manifest, "z") == golden.notebook[last]["z"]


def test_a_new_seed_makes_later_blocks_stale(tmp_path: Path) -> None:
    """`--changed` follows the stream, not only the values."""
    cells = [
        IMPORTS,
        ("loader:a", "np.random.seed(0)\nn = 1"),
        ("loader:b", "x = np.random.rand()"),
    ]
    path = notebook(tmp_path, *cells)
    opened = open_target(str(path), None, tmp_path)
    launch = prepare(opened.project, opened.pipeline, RunRequest())
    with launch.dispatcher() as dispatcher:
        dispatcher.run()
    cells[1] = ("loader:a", "np.random.seed(1)\nn = 1")
    opened = open_target(str(notebook(tmp_path, *cells)), None, tmp_path)
    plan = prepare(opened.project, opened.pipeline, RunRequest(changed=True)).plan
    assert [str(block.action) for block in plan.blocks] == ["run", "run"]
