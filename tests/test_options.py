"""Options that a cell sets hold for the blocks after it, on any worker and in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.opening import open_target
from jupyter_blocks.variables.store import VariableStore
from tests.golden import run_both
from tests.notebooks import Source, notebook

IMPORTS = (
    "",
    (
        "import os, sys, warnings\nimport numpy as np\nimport pandas as pd\n"
        "import matplotlib.pyplot as plt"
    ),
)
LOOK = "s = str(np.array([1.23456])), str(pd.Series([1 / 7])), plt.rcParams['figure.dpi']"
SETTINGS = "np.set_printoptions(precision=2)\npd.options.display.precision = 3"


def values(folder: Path, *cells: Source) -> dict[str, Any]:
    """Block -> its one output, after a run on one worker, where blocks follow one another."""
    path = notebook(folder, *cells)
    opened = open_target(str(path), None, folder)
    launch = prepare(opened.project, opened.pipeline, RunRequest(max_workers=1))
    with launch.dispatcher() as dispatcher:
        state = dispatcher.run()
    assert str(state.status) == "SUCCEEDED", state.as_json()
    store = VariableStore(opened.project.variables_root)
    found = {}
    for name, block in state.blocks.items():
        manifest = store.latest(opened.pipeline.name, name)
        assert manifest is not None
        found[name] = store.load(manifest, next(iter(block.outputs)))
    return found


def test_options_of_setup_hold_for_every_block(tmp_path: Path) -> None:
    """Also for the second block on a worker, which has imported the shared module before."""
    found = values(
        tmp_path,
        IMPORTS,
        ("imports", f"{SETTINGS}\nplt.rcParams['figure.dpi'] = 55\nWIDTH = 2"),
        ("loader:a", LOOK),
        ("loader:b", LOOK),
    )
    expected = ("[1.23]", "0    0.143\ndtype: float64", 55.0)
    assert found == {"a": expected, "b": expected}


def test_options_of_a_block_hold_for_the_blocks_after_it(tmp_path: Path) -> None:
    """Not for those before it; the last one wins."""
    found = values(
        tmp_path,
        IMPORTS,
        ("loader:a", LOOK),
        ("loader:b", f"{SETTINGS}\nb = 1"),
        ("loader:c", LOOK),
        ("loader:d", "np.set_printoptions(precision=4)\nd = 1"),
        ("loader:e", LOOK),
    )
    assert [found[name][0] for name in "ace"] == ["[1.23456]", "[1.23]", "[1.2346]"]
    assert [found[name][1].split()[1] for name in "ace"] == ["0.142857", "0.143", "0.143"]


def test_filters_and_environment(tmp_path: Path) -> None:
    """What libraries look up later."""
    found = values(
        tmp_path,
        IMPORTS,
        ("loader:a", "warnings.simplefilter('error')\nos.environ['JB_OPTION'] = 'on'\na = 1"),
        (
            "loader:b",
            "try:\n    warnings.warn('x')\n    b = 'no'\nexcept UserWarning:\n    b = 'yes'\nb",
        ),
        ("loader:c", "c = os.environ.get('JB_OPTION')"),
    )
    assert found == {"a": 1, "b": "yes", "c": "on"}


def test_options_of_a_left_out_cell(tmp_path: Path) -> None:
    """A cell may be left out for what it shows; its options hold all the same."""
    found = values(
        tmp_path,
        IMPORTS,
        ("", "np.set_printoptions(precision=2)\nprint('hello')"),
        ("loader:a", "s = str(np.array([1.23456]))"),
    )
    assert found == {"a": "[1.23]"}


def test_options_in_branches_and_on_modules(tmp_path: Path) -> None:
    """Loops over options, additions to a module, the decimal context."""
    found = values(
        tmp_path,
        ("", "import decimal, os\nimport numpy as np\nimport pandas as pd"),
        ("functions", "def doubled(self):\n    return self * 2"),
        (
            "loader:a",
            (
                "for name in ('JB_ONE', 'JB_TWO'):\n    os.environ[name] = name\n"
                "if os.name:\n    np.set_printoptions(precision=2)\n"
                "old = np.seterr(divide='raise')\nos.environ.update(JB_THREE='3')\n"
                "try:\n    np.set_printoptions(nope=1)\n"
                "except TypeError:\n    np.set_printoptions(threshold=9)\n"
                "doubled.times = 2\nnp.myfloat = float\npd.Series.doubled = doubled\n"
                "decimal.getcontext().prec = 3\na = 1"
            ),
        ),
        ("loader:b", "b = os.environ['JB_TWO'], str(np.array([1.234])), np.myfloat(2)"),
        (
            "loader:d",
            (
                "d = np.geterr()['divide'], os.environ['JB_THREE'], doubled.times\n"
                "d = (*d, np.get_printoptions()['threshold'])"
            ),
        ),
        ("loader:c", "c = list(pd.Series([1]).doubled()), str(decimal.Decimal(1) / 7)"),
    )
    assert found.pop("d") == ("raise", "3", 2, 9)
    assert found == {"a": 1, "b": ("JB_TWO", "[1.23]", 2.0), "c": ([2], "0.143")}


@pytest.mark.parametrize(
    "imports", ["from pylab import *", "from pylab import axes, figure", "from pylab import *\n"]
)
def test_data_under_the_name_of_an_import_has_no_options(tmp_path: Path, imports: str) -> None:
    """`axes` is a function of pylab until a cell calls its own axes so."""
    draws = "axes = figure().add_axes([0, 0, 1, 1])\naxes.set_xlabel('x')\na = axes.get_xlabel()"
    found = values(
        tmp_path,
        ("imports", imports),
        ("loader:a", draws),
        ("loader:b", "b = 2"),
    )
    assert found == {"a": "x", "b": 2}


def test_an_import_gives_the_module_back(tmp_path: Path) -> None:
    """What is imported after that under the name of data has options again."""
    found = values(
        tmp_path,
        ("imports", "import numpy as np"),
        ("loader:a", "np = [1]\na = len(np)"),
        ("loader:b", "import numpy as np\nnp.set_printoptions(precision=2)\nb = 2"),
        ("loader:c", "c = str(np.array([1.23456]))"),
    )
    assert found == {"a": 1, "b": 2, "c": "[1.23]"}


def test_options_from_constants_and_for_decorated_functions(tmp_path: Path) -> None:
    """A constant comes along from the shared module."""
    found = values(
        tmp_path,
        IMPORTS,
        ("imports", "DIGITS = 2\nnp.set_printoptions(precision=DIGITS)"),
        ("", "from jupyter_blocks.decorators import data_loader"),
        ("", "@data_loader\ndef a():\n    return str(np.array([1.23456]))"),
    )
    assert found == {"a": "[1.23]"}


def test_the_search_path_comes_before_the_imports_that_need_it(tmp_path: Path) -> None:
    """The folder is relative to the notebook, as in Jupyter."""
    source = tmp_path / "own_code"
    source.mkdir()
    (source / "jb_own_tools.py").write_text("number = 7\n", "utf-8")
    found = values(
        tmp_path,
        ("", "import sys\nsys.path.append('own_code')\nimport jb_own_tools"),
        ("loader:a", "a = jb_own_tools.number"),
        ("loader:b", "b = jb_own_tools.number + 1"),
    )
    assert found == {"a": 7, "b": 8}


PATHS = {
    "if it is not there": (
        "import os, sys\nmodule_path = os.path.abspath(os.path.join('own_code'))\n"
        "if module_path not in sys.path:\n    sys.path.append(module_path)"
    ),
    "folder by folder": (
        "import sys\nfor folder in ['own_code', 'other']:\n    if folder not in sys.path:\n"
        "        sys.path.insert(0, folder)"
    ),
    "added up": "import sys\nsys.path += ['own_code']",
    "made anew": "import sys\nsys.path = ['own_code', *sys.path]",
    "put in front": "import sys\nsys.path[:0] = ['own_code']",
    "of a name that is set again": (
        "import sys\np = 'other'\nsys.path.append(p)\np = 'own_code'\nsys.path.append(p)"
    ),
    "with pathlib": (
        "import sys\nfrom pathlib import Path\nROOT = Path.cwd()\n"
        "sys.path.append(str(ROOT / 'own_code'))"
    ),
    "by site": "import site\nsite.addsitedir('own_code')",
}


@pytest.mark.parametrize("name", PATHS)
def test_all_ways_to_say_where_modules_are_looked_for(tmp_path: Path, name: str) -> None:
    """What cells below import from there is found, also where a block says it."""
    source = tmp_path / "own_code"
    source.mkdir()
    (source / "jb_path_tools.py").write_text("number = 7\n", "utf-8")
    tag, more = ("loader:first", "\nfirst = 1") if "if" in name else ("imports", "")
    found = values(
        tmp_path,
        (tag, PATHS[name] + more),
        ("", "from jb_path_tools import *"),
        ("loader:a", "a = number"),
        ("loader:b", "b = number + 1"),
    )
    assert (found["a"], found["b"]) == (7, 8)


@pytest.mark.parametrize(
    "cell", ["p = open('rows').read()\nsys.path.append(p)", "sys.path.append(place())"]
)
def test_a_path_that_only_a_block_knows_is_refused(tmp_path: Path, cell: str) -> None:
    """Imports stand at the top of the file, where no data is."""
    define = "def place():\n    return 'x'"
    path = notebook(tmp_path, IMPORTS, ("functions", define), ("loader:a", f"{cell}\nx = 1"))
    (problem,) = analyze_notebook(read_notebook(path)).problems
    assert (problem.code, problem.cell) == ("option-reads-data", 3)
    assert "is not there yet. Write the path itself" in f"{problem.message} {problem.hint}"


def test_the_text_of_a_block(tmp_path: Path) -> None:
    """Each option once, with the cell it is from in the header."""
    cells = [
        IMPORTS,
        ("loader:a", f"{SETTINGS}\nx = 1"),
        ("loader:b", "np.set_printoptions(precision=2); y = 2"),
        ("loader:c", "z = 3"),
    ]
    run_both(notebook(tmp_path, *cells))
    text = (tmp_path / "data_loaders/c.py").read_text("utf-8")
    assert "\npd.options.display.precision = 3\nnp.set_printoptions(precision=2)\n\n\n@" in text
    assert text.count("set_printoptions") == 1


@pytest.mark.parametrize(
    ("cell", "code", "severity"),
    [
        ("n = 5\nn += 1\npd.set_option('display.max_rows', n)", "option-reads-data", "error"),
        ("p = {}\np['x'] = 1\nplt.rcParams.update(p)", "option-reads-data", "error"),
        ("k = len(open('rows').read())\nnp.set_printoptions(k)", "option-reads-data", "error"),
        ("os.chdir('..')\nx = 1", "changes-folder", "error"),
    ],
)
def test_what_cannot_be_carried_is_said(
    tmp_path: Path, cell: str, code: str, severity: str
) -> None:
    """With the first block that is meant."""
    path = notebook(tmp_path, IMPORTS, ("loader:a", cell), ("loader:b", "y = 2"))
    (problem,) = analyze_notebook(read_notebook(path)).problems
    assert (problem.code, problem.severity, problem.cell) == (code, severity, 2)
    assert "block 'b' (cell 3)" in problem.message


def test_values_of_options_come_along(tmp_path: Path) -> None:
    """Where they are plain ones; the blocks after them need not know their names."""
    cells = [
        IMPORTS,
        ("loader:a", "dpi = 80\nlook = {'figure.dpi': dpi + 7}\nplt.rcParams.update(look)"),
        ("loader:b", "if 'x' in sys.modules:\n    %pip install x"),
        ("loader:c", "shown = plt.rcParams['figure.dpi']"),
    ]
    assert run_both(notebook(tmp_path, *cells)).pipeline["c"] == {"shown": 87}


def test_the_last_block_may_do_as_it_likes(tmp_path: Path) -> None:
    """Nobody comes after it."""
    path = notebook(tmp_path, IMPORTS, ("loader:a", "n = 5\npd.set_option('display.max_rows', n)"))
    assert not analyze_notebook(read_notebook(path)).problems
