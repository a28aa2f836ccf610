"""What blocks need and give, and every mistake a notebook can make: with cell, line and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_blocks.binding import NotebookPipeline, Style, analyze_notebook
from jupyter_blocks.notebook import parse_notebook
from tests.notebooks import Source, notebook_document


def analyzed(*cells: Source, folder: Path = Path("nowhere"), **options: object) -> NotebookPipeline:
    """The pipeline that the cells describe."""
    document = notebook_document(*cells, **options)  # type: ignore[arg-type]
    return analyze_notebook(parse_notebook(json.dumps(document).encode(), folder / "demo.ipynb"))


def problems(*cells: Source, **options: object) -> list[tuple[str, int | None, int | None]]:
    """Code, cell and line of each problem."""
    found = analyzed(*cells, **options).problems
    return [(problem.code, problem.cell, problem.line) for problem in found]


LOAD: Source = ("loader:load", "x = 1")
LOAD_LIST: Source = ("loader:load", "xs = [1]")

# (cells, code, cell, line, what the message and the hint say)
MISTAKES: dict[str, tuple[tuple[Source, ...], str, int, int | None, str]] = {
    "a name nobody sets": (
        (LOAD, ("transformer", "y = 1\nz = xx + y")),
        "undefined-name",
        2,
        2,
        "Block 'transformer_1' reads 'xx', which no cell sets. Did you mean 'x'?",
    ),
    "a name nobody sets, where another exception is caught": (
        (("loader", "try:\n    y = missing\nexcept KeyError:\n    y = 1"),),
        "undefined-name",
        1,
        2,
        "reads 'missing', which no cell sets.",
    ),
    "a name nobody sets, outside of the try as well": (
        (("loader", "try:\n    y = missing\nexcept Exception:\n    y = missing"),),
        "undefined-name",
        1,
        2,
        "reads 'missing', which no cell sets.",
    ),
    "a name the same cell sets later": (
        (("loader", "y = k\nk = 1"),),
        "undefined-name",
        1,
        1,
        "reads 'k' before it sets it",
    ),
    "a name a later cell sets": (
        (("loader:a", "y = x"), LOAD),
        "bound-later",
        1,
        1,
        "which only block 'load' (cell 2) sets. Blocks run in the order of the notebook. Move",
    ),
    "a name only an untagged cell sets": (
        (LOAD, ("", "df = [x]\ndf.reverse()"), ("transformer:clean", "\ny = df")),
        "left-out-name",
        3,
        1,
        "sets 'df', which block 'clean' (cell 3, line 1) reads. Tag cell 2, or give it the tag 'co",
    ),
    "a name an untagged cell binds again": (
        (LOAD, ("", "x = x + 1"), ("transformer", "y = x")),
        "left-out-name",
        3,
        1,
        "Cell 2 (no block tag) sets 'x'",
    ),
    "constants in an untagged cell": (
        (("", "LIMIT = 3"), ("loader", "y = LIMIT")),
        "left-out-name",
        2,
        1,
        "Give cell 1 the tag 'parameters' or 'imports'.",
    ),
    "a name only a skipped cell sets": (
        (("skip", "x = 1"), ("loader", "y = x")),
        "left-out-name",
        2,
        1,
        "Cell 1 (tag 'skip') sets 'x'",
    ),
    "a name only a test sets": (
        (LOAD, ("test:load", "t = x"), ("transformer", "y = t")),
        "left-out-name",
        3,
        1,
        "Use another name in the test.",
    ),
    "a value an untagged cell changes": (
        (LOAD_LIST, ("", "xs[0] = 5"), ("transformer", "y = xs")),
        "changed-by-untagged",
        3,
        1,
        "Cell 2 (no block tag) changes 'xs', which block 'transformer_1' reads.",
    ),
    "a deleted name": (
        (LOAD, ("transformer", "del x"), ("exporter", "print(x)")),
        "deleted-name",
        3,
        1,
        "Block 'exporter_1' reads 'x', which cell 2 deletes.",
    ),
    "a name set under a condition": (
        (
            ("loader:load", "import os\nif os.sep == '/':\n    x = 1"),
            ("exporter", "if os.sep == '/':\n    print(x)"),
        ),
        "maybe-unbound",
        1,
        2,
        "Give 'x' a value before the condition.",
    ),
    "the last value of the session": (
        (("loader", "3 + 4"), ("transformer", "x = _ + 1")),
        "no-ipython",
        2,
        1,
        "'_', which belongs to the session",
    ),
    "the output of a sensor": (
        (("sensor:wait", "path = 'a'\nbool(path)"), ("loader", "y = path")),
        "sensor-output",
        2,
        1,
        "a sensor stores nothing. Set 'path' in a loader.",
    ),
    "a sensor without a condition": (
        (("sensor:wait", "x = 1\ny = 2"),),
        "no-condition",
        1,
        2,
        "The sensor 'wait' does not end with an expression",
    ),
    "a class that reads what another block sets again": (
        (
            ("loader:load", "k = 2\nclass F:\n    def of(self, v):\n        return v * k"),
            ("transformer:more", "k = 3"),
            ("exporter", "print(F().of(k))"),
        ),
        "nested-function",
        3,
        1,
        "sets 'k', which 'F' sees in a notebook only. Pass 'k' as an argument of 'F'",
    ),
    "a class that reads what the cell that uses it sets": (
        (
            ("loader:load", "k = 2\nclass F:\n    def of(self, v):\n        return v * k"),
            ("exporter", "k = 3\nprint(F().of(k))"),
        ),
        "nested-function",
        2,
        2,
        "The cell that uses it sets or changes 'k' itself, which 'F' sees in a notebook only.",
    ),
    "a class that changes a list of its block": (
        (
            ("loader:load", "log = []\nclass F:\n    def of(self, v):\n        log.append(v)"),
            ("exporter", "F().of(1)"),
        ),
        "nested-function",
        2,
        1,
        "defines and which changes 'log' when it is used. Each block has 'log' for itself",
    ),
    "a value that holds a function of what is set again": (
        (
            ("loader:load", "k = 2\ndef f():\n    return k\ncalls = {'f': f}"),
            ("transformer:more", "k = 3"),
            ("exporter", "print(calls['f'](), k)"),
        ),
        "late-global",
        3,
        1,
        "(cell 1) holds a function that reads 'k'. After that block 'more' (cell 2) sets 'k'",
    ),
    "an object under two names, in a container": (
        (
            ("loader:load", "@data_loader\ndef load():\n    return [1]"),
            ("transformer", "ys = [load]"),
            ("transformer", "ys[0].append(2)\nzs = load + ys"),
        ),
        "alias",
        3,
        1,
        "'load' and 'ys' share an object in the notebook",
    ),
    "a shared function that reads data": (
        (
            ("functions", "# Shows.\ndef show():\n    return x"),
            LOAD,
            ("exporter", "print(show())"),
        ),
        "helper-reads-data",
        1,
        2,
        "Pass 'x' as an argument of 'show'.",
    ),
    "a shared function that keeps state": (
        (
            ("functions", "SEEN = []\ndef note(v):\n    SEEN.append(v)"),
            ("loader", "note(1)\nx = 1"),
            ("exporter", "print(SEEN)"),
        ),
        "shared-state",
        1,
        2,
        "'note' changes 'SEEN', which block 'exporter_1' reads.",
    ),
    "a shared function over two imports of a name": (
        (
            ("functions", "import datetime\ndef f():\n    return datetime"),
            ("loader", "from datetime import datetime\nx = f()"),
        ),
        "conflicting-imports",
        1,
        2,
        "'f' uses 'datetime', which cells 1 and 2 import from different places.",
    ),
    "a shared function defined twice": (
        (
            ("functions", "def f():\n    return 1"),
            ("functions", "x_ = 1\ndef f():\n    return 2"),
            ("loader", "x = f()"),
        ),
        "redefined-helper",
        2,
        2,
        "'f' is set here and in another way in cell 1",
    ),
    "setup that reads data": (
        (LOAD, ("imports", "import os\nK = x"), ("exporter", "print(x)")),
        "setup-reads-data",
        2,
        2,
        "This setup cell reads 'x' of block 'load' (cell 1)",
    ),
    "setup that depends on a parameter": (
        (("parameters", "m = 1"), ("imports", "import os\nP = f'{m}.csv'"), LOAD),
        "depends-on-parameter",
        2,
        2,
        "This depends on the parameter 'm'",
    ),
    "a default that depends on a parameter": (
        (("parameters", "m = 1"), ("functions", "def f(v=m):\n    return v"), LOAD),
        "depends-on-parameter",
        2,
        1,
        "Compute it in a block.",
    ),
    "a parameter computed from another": (
        (("parameters", "m = 1\nn = m + 1"), LOAD),
        "depends-on-parameter",
        1,
        2,
        "Compute it in a block.",
    ),
    "setup that differs in each process": (
        (("imports", "import datetime\nT = datetime.datetime.now()"), LOAD),
        "varying-setup",
        1,
        2,
        "'now' gives another value in each process",
    ),
    "a global statement": (
        (("loader", "n = 0\ndef f():\n    global n\n    n = 1\nf()"),),
        "global-statement",
        1,
        3,
        "Return the value and assign it: n = ...",
    ),
    "globals()": (
        (("loader", "x = globals()['y']"),),
        "calls-globals",
        1,
        None,
        "Read the variable by its name.",
    ),
    "get_ipython()": (
        (("loader", "x = 1\nn = get_ipython().user_ns"),),
        "no-ipython",
        1,
        2,
        "which exists in a notebook only",
    ),
    "a return outside of a function": (
        (("loader", "x = 1\nreturn x"),),
        "syntax-error",
        1,
        2,
        "Leave it out: what later cells read is passed on by itself.",
    ),
    "broken syntax": ((("loader", "x = 1\ny = = 2"),), "syntax-error", 1, 2, "not valid Python"),
    "a shell command": ((("loader", "x = 1\n!ls"),), "shell-command", 1, 2, "subprocess"),
    "a module that cannot be imported whole": (
        (("imports", "import os\nfrom no_such_module_ import *"), LOAD),
        "star-import",
        1,
        2,
        "No module named 'no_such_module_'",
    ),
    "two blocks of one name": (
        (("loader:a", "x = 1"), ("transformer:a", "y = 2")),
        "duplicate-block",
        2,
        None,
        "Cell 1 and cell 2 both make a block 'a'. Give one of them another name with its tag",
    ),
    "continue without a block": (
        (("continue", "x = 1"),),
        "continue-without-block",
        1,
        None,
        "there is no block above it",
    ),
    "continue after a decorated block": (
        (("", "@loader\ndef a():\n    return 1"), ("continue", "x = 1")),
        "continue-decorated",
        2,
        None,
        "'a' above it (cell 1) is a decorated function",
    ),
    "upstream that is not there": (
        (LOAD, ("exporter upstream:lod", "print(x)")),
        "unknown-upstream",
        2,
        None,
        "Did you mean 'load'?",
    ),
    "upstream that comes later": (
        (("loader:a upstream:load", "y = 1"), LOAD),
        "upstream-later",
        1,
        None,
        "names a block that comes later (cell 2)",
    ),
    "upstream of itself": (
        (("loader:a upstream:a", "y = 1"),),
        "cycle",
        1,
        None,
        "cannot run before itself",
    ),
    "cells of a block around one it needs": (
        (("loader:a", "x = 1"), ("transformer:b", "y = x"), ("loader:a", "z = y")),
        "cycle",
        3,
        None,
        "a -> b -> a",
    ),
    "cells of a block around one that changes a name": (
        (("loader:a", "x = 1"), ("loader:b", "x = 2"), ("loader:a", "y = x")),
        "split-block",
        3,
        1,
        "block 'b' (cell 2) reads or sets 'x'",
    ),
    "cells of a block around one that reads": (
        (("loader:a", "x = 1"), ("transformer:b", "y = x"), ("loader:a", "x = 2")),
        "split-block",
        3,
        None,
        "between them block 'b' reads or sets 'x'",
    ),
    "a figure that goes on in another block": (
        (
            ("imports", "import matplotlib.pyplot as plt"),
            ("transformer:draw", "fig, ax = plt.subplots()"),
            ("exporter", "plt.sca(ax)"),
        ),
        "figure-crosses",
        3,
        1,
        "makes the figure or axes 'ax' of block 'draw' (cell 2) those that pyplot draws on.",
    ),
    "a decorated function and another tag": (
        (("loader", "\n@transformer\ndef f():\n    return 1"),),
        "tag-and-decorator",
        1,
        1,
        "The tag says 'loader', the decorator '@transformer'.",
    ),
    "a decorated function in a setup cell": (
        (("functions", "@loader\ndef f():\n    return 1"),),
        "conflicting-tags",
        1,
        1,
        "holds the block function 'f' (@loader)",
    ),
    "two decorated functions": (
        (("", "@loader\ndef f():\n    return 1\n@loader\ndef g():\n    return 1"),),
        "two-blocks",
        1,
        4,
        "'f' and 'g'",
    ),
    "a decorated function and other code": (
        (("", "@loader\ndef f():\n    return 1\nf()"),),
        "decorated-extra",
        1,
        4,
        "would run whenever its file is loaded",
    ),
    "an argument that names nothing": (
        (
            ("parameters", "m = 1"),
            LOAD,
            ("", "@transformer\ndef f(y):\n    return y"),
        ),
        "unknown-argument",
        3,
        2,
        "Known above this cell: load, x, m.",
    ),
    "an argument that names a sensor": (
        (
            ("sensor:wait", "True"),
            ("", "@loader\ndef f(wait):\n    return 1"),
        ),
        "sensor-output",
        2,
        2,
        "give the cell the tag 'upstream:wait'",
    ),
    "an argument by position only": (
        (LOAD, ("", "@transformer\ndef f(x, /):\n    return x")),
        "positional-only",
        2,
        2,
        "Remove the '/'.",
    ),
    "an argument that names a block which gives nothing": (
        (("exporter:save", "print(1)"), ("", "@transformer\ndef f(save):\n    return save")),
        "no-output",
        2,
        None,
        "Let 'save' return a value.",
    ),
    "data read as a global of a decorated function": (
        (LOAD, ("", "@transformer\ndef f():\n    return x")),
        "global-data",
        2,
        1,
        "Add 'x' as an argument.",
    ),
    "a helper from the cell of a decorated block": (
        (
            ("", "@loader\ndef f():\n    return g()\ndef g():\n    return 1"),
            ("exporter", "print(g())"),
        ),
        "decorated-name",
        2,
        1,
        "Move it to a cell of its own with the tag 'functions'.",
    ),
    "the function of a block by its own name": (
        (
            ("loader:load", "@loader\ndef f():\n    return 1"),
            ("exporter", "print(f)"),
        ),
        "decorated-name",
        2,
        1,
        "Its result is called 'load'.",
    ),
    "a call of a decorated block": (
        (("", "@loader\ndef f():\n    return 1"), ("exporter", "print(f())")),
        "calls-block",
        2,
        1,
        "Write 'f' without the brackets",
    ),
    "a test of nothing": ((LOAD, ("test:lod", "assert 1")), "bad-test", 2, None, "'load'"),
    "a test above its block": (
        (("test:load", "assert 1"), LOAD),
        "bad-test",
        1,
        None,
        "Move this cell below cell 2.",
    ),
    "a test that reads another block": (
        (("loader:raw", "r = 1"), LOAD, ("test:load", "assert x == r")),
        "test-reads-other",
        3,
        1,
        "a test sees the outputs of its block only",
    ),
    "a wrong setting": (
        (("loader", "x = 1", {"retries": -1}),),
        "bad-setting",
        1,
        None,
        "The setting 'retries' is -1; expected a whole number from 0",
    ),
    "an unknown setting": (
        (("loader", "x = 1", {"retry": 1}),),
        "unknown-setting",
        1,
        None,
        "Known settings: cache, changes, executor",
    ),
    "settings that disagree": (
        (("loader:a", "x = 1", {"timeout": 5}), ("loader:a", "y = 1", {"timeout": 6})),
        "two-settings",
        2,
        None,
        "Cells 1 and 2 set different 'timeout' for the block 'a'.",
    ),
    "a change of nothing": (
        (("loader", "x = 1", {"changes": ["df"]}),),
        "unknown-change",
        1,
        None,
        "names 'df', which no block above gives",
    ),
}


def test_a_figure_is_shown_and_drawn_on_by_its_name_anywhere() -> None:
    """Figure and axes go on together where a block draws on one of them."""
    begun = ("loader:draw", "import matplotlib.pyplot as plt\nfig = plt.figure()\nax = plt.axes()")
    looks = ("transformer", "fig.savefig('begun.png')\nfig")
    assert analyzed(begun, looks).is_valid
    assert not analyzed(begun, looks, ("transformer", "ax.set_title('more')\nfig")).problems


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_reported_with_its_place_and_its_remedy(name: str) -> None:
    """The first error has the expected code, cell and line, and says what to do."""
    cells, code, cell, line, text = MISTAKES[name]
    found = [problem for problem in analyzed(*cells).problems if problem.severity == "error"]
    assert [(problem.code, problem.cell, problem.line) for problem in found] == [(code, cell, line)]
    assert text in f"{found[0].message} {found[0].hint}"
    assert found[0].notebook == "demo.ipynb"


# (cells, code, cell, what the message and the hint say)
WARNINGS: dict[str, tuple[tuple[Source, ...], str, int, str]] = {
    "a skipped cell in between": (
        (LOAD, ("skip", "x = 5"), ("exporter", "print(x)")),
        "skipped-binding",
        3,
        "which block 'exporter_1' reads. The pipeline takes it from block 'load' (cell 1).",
    ),
    "an untagged cell that may change a value": (
        (LOAD_LIST, ("", "draw(xs)"), ("exporter", "print(xs)")),
        "changed-by-untagged",
        3,
        "may change 'xs'",
    ),
    "a near miss": ((("tranformer", "1"), LOAD), "unknown-tag", 1, "Write 'transformer'"),
    "a parameter that is no plain value": (
        (("parameters", "m = (1, 2)"), ("loader", "x = m")),
        "constant-parameter",
        1,
        "it cannot be set from the command line",
    ),
    "a generator in a setup cell": (
        (
            ("imports", "import numpy as np\nrng = np.random.default_rng(1)"),
            ("loader", "x = rng.random()"),
        ),
        "seed-in-setup",
        1,
        "Make it in a block",
    ),
    "a seed in setup for a decorated function that draws": (
        (
            ("imports", "import random\nrandom.seed(1)"),
            ("loader", "@data_loader\ndef load():\n    return random.random()"),
        ),
        "seed-in-setup",
        1,
        "Seed it in the function",
    ),
    "a left out cell that writes a file": (
        (
            ("", "from pathlib import Path"),
            ("", "n = Path('a.txt').write_text('x')\nprint(n)"),
            ("loader", "x = Path('a.txt').read_text()"),
        ),
        "left-out-file",
        2,
        "writes 'a.txt', which block 'loader_1' (cell 3, line 1) reads",
    ),
    "one object under two names": (
        (
            ("loader:xs", "@data_loader\ndef xs():\n    return 1"),
            ("transformer", "ys = xs.fit()"),
            ("transformer", "ys.append(2)"),
            ("exporter", "print(xs, ys)"),
        ),
        "alias",
        4,
        "'xs' and 'ys' may be one object in the notebook, and a block changes it through 'ys'.",
    ),
    "order on a cell that is no block": (
        (LOAD, ("upstream:load", "print(x)")),
        "upstream-without-block",
        2,
        "is not a block",
    ),
    "a function with an unknown name": (
        (("functions", "def f():\n    return nothing"), ("loader", "x = f")),
        "undefined-name",
        1,
        "'f' reads 'nothing', which no cell sets.",
    ),
    "a missing name whose exception is caught": (
        (("loader", "try:\n    print(missing)\nexcept Exception as e:\n    print(e)"),),
        "undefined-name",
        1,
        "tries to read 'missing', which no cell sets. The exception is caught there",
    ),
    "a missing name that any exception would do for": (
        (("loader", "try:\n    missing\nexcept:\n    x = 1"),),
        "undefined-name",
        1,
        "tries to read 'missing', which no cell sets.",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_may_not_be_meant_is_a_warning(name: str) -> None:
    """The notebook can be exported all the same."""
    cells, code, cell, text = WARNINGS[name]
    pipeline = analyzed(*cells)
    assert pipeline.is_valid
    assert [(problem.code, problem.cell) for problem in pipeline.problems] == [(code, cell)]
    assert text in f"{pipeline.problems[0].message} {pipeline.problems[0].hint}"


def test_all_mistakes_are_reported_at_once() -> None:
    """One mistake never hides another, and a broken cell does not break its readers."""
    assert problems(
        ("loader", "x = 1\ny = = 2"),
        ("transformer", "z = y + nothing"),
        ("loader transformer", "w = 1"),
        ("exporter", "!ls\nprint(z)"),
    ) == [
        ("syntax-error", 1, 2),
        ("undefined-name", 2, 1),
        ("two-types", 3, None),
        ("shell-command", 4, 1),
    ]


@pytest.mark.parametrize(
    ("tag", "command", "code"),
    [
        ("imports", "%pylab inline", "magic"),
        ("skip", "%pylab inline", "magic"),
        ("", "%run setup.ipynb", "magic"),
        ("imports", "from no_such_module import *", "star-import"),
        ("functions", "def f():\n    global np\n    np = 1", "global-statement"),
    ],
)
def test_names_that_cannot_be_known_are_not_called_missing(
    tag: str, command: str, code: str
) -> None:
    """Why they are not known is the mistake; that no cell sets them is not said."""
    cells = ((tag, command), ("loader:a", "x = np.arange(3)\nnp.f = 1"), ("exporter", "np = x"))
    assert {problem.code for problem in analyzed(*cells).problems} == {code}


@pytest.mark.parametrize(
    ("star", "other", "codes"),
    [
        ("from os import *", "import posixpath as path", set()),
        ("from os import *", "import os.path as path", set()),
        ("from os import *", "import math as path", {"conflicting-imports"}),
    ],
)
def test_what_a_module_hands_on_is_the_thing_itself(star: str, other: str, codes: set[str]) -> None:
    """`from pylab import *` gives `np`, and that is numpy; another thing of the name is not."""
    found = problems(
        ("imports", star),
        ("imports", other),
        ("functions", "def f():\n    return path.sep"),
        ("loader:y", "y = f()"),
        ("exporter", "print(y)"),
    )
    assert {code for code, *_ in found} == codes


def test_untagged_cells_may_hold_anything() -> None:
    """Looks at the data, plots, shell commands and broken code are nobody's business."""
    assert not problems(
        LOAD_LIST,
        ("", "!ls"),
        ("", "print(xs[:3])\nlen(xs)"),
        ("", "y = = 1"),
        ("exporter", "print(xs)"),
    )


# inputs and outputs


def io(*cells: Source, **options: object) -> dict[str, tuple[dict[str, str], tuple[str, ...]]]:
    """Inputs and outputs of each block of a notebook without mistakes."""
    pipeline = analyzed(*cells, **options)
    assert pipeline.is_valid, pipeline.problems
    return {
        block.name: ({name: str(source) for name, source in block.inputs.items()}, block.outputs)
        for block in pipeline.blocks
    }


def test_a_read_binds_to_the_last_block_that_may_change_the_name() -> None:
    """Changing in place counts like binding again."""
    assert io(
        LOAD_LIST,
        ("transformer:grow", "xs.append(2)"),
        ("transformer:look", "n = len(xs)"),
        ("exporter:save", "print(xs, n)"),
    ) == {
        "load": ({}, ("xs",)),
        "grow": ({"xs": "load.xs"}, ("xs",)),
        "look": ({"xs": "grow.xs"}, ("n",)),
        "save": ({"xs": "grow.xs", "n": "look.n"}, ()),
    }


def test_inputs_are_in_the_order_of_first_use() -> None:
    """So the signature reads like the code."""
    found = io(("loader:ab", "a = 1\nb = 2"), ("exporter:out", "print(b, a, b)"))
    assert list(found["out"][0]) == ["b", "a"]
    assert found["ab"][1] == ("a", "b")


@pytest.mark.parametrize(
    ("tag", "source", "outputs"),
    [
        ("loader", "x = 1\ny = 2", ("y",)),
        ("loader", "x = 1\nx", ("x",)),
        ("loader", "x = 1\nx + 1", ("output_0",)),
        ("loader", "with open('a') as f:\n    x = f.read()", ("x",)),
        ("loader", "try:\n    x = 1\nexcept OSError:\n    x = 2", ("x",)),
        ("loader", "if len('a'):\n    x = 1", ()),
        ("loader", "for i in range(3):\n    x = i", ("x",)),
        ("loader", "x = 1\nx + 1;", ("x",)),
        ("loader", "x = 1\nprint(x)", ("x",)),
        ("loader", "x = 1\n_y = 2\nfor i in [x]:\n    z = i", ("x",)),
        ("loader", "import os\nprint(os.sep)", ()),
        ("loader", "import matplotlib.pyplot as plt\nx = [1]\nplt.plot(x)", ("x",)),
        ("loader", "import matplotlib.pyplot as plt\nx = [1]\nf, a = plt.subplots()", ("x",)),
        ("loader", "x = 1\nf = open('a')", ("x",)),
        ("loader", "x = []\nx.sort(key=len)", ("output_0",)),
        ("custom", "x = 1", ("x",)),
        ("exporter", "x = 1", ()),
        ("exporter", "x = 1\nx", ("x",)),
        ("exporter", "x = [1]\nx.index(1)", ()),
    ],
)
def test_a_block_nobody_reads_gives_what_it_shows(
    tag: str, source: str, outputs: tuple[str, ...]
) -> None:
    """The last expression, else the last plain value; an exporter only what it shows by name."""
    assert io((f"{tag}:b", source))["b"][1] == outputs


def test_a_loop_variable_is_no_input() -> None:
    """`for i` in two blocks does not connect them."""
    found = io(
        ("loader:a", "for i in [1]:\n    x = i"), ("exporter:b", "for i in [2]:\n    print(i, x)")
    )
    assert found["b"][0] == {"x": "a.x"}


def test_strings_bind_softly() -> None:
    """A name in a query becomes an input if there is such a value, and an edge that says so."""
    pipeline = analyzed(
        ("loader:a", "df = []\nlimit = 2"), ("transformer:b", "few = df.query('x < @limit and q')")
    )
    assert pipeline.is_valid
    edges = {edge.name: (edge.definer, edge.soft) for edge in pipeline.block("b").edges}
    assert edges == {"df": ("a", False), "limit": ("a", True)}


def test_edges_say_why() -> None:
    """Name, reading cell and line, setting cell, and what the reader does with the value."""
    pipeline = analyzed(
        ("loader:a", "df = []\nn = 1"),
        ("transformer:b upstream:a", "\ndf.append(n)\nn = n + 1"),
        ("exporter:c upstream:b upstream:a", "print(n)"),
    )
    edges = [
        (edge.name, edge.reader_cell, edge.reader_line, edge.definer_cell, edge.kind)
        for edge in pipeline.block("b").edges
    ]
    assert edges == [("df", 2, 1, 1, "change"), ("n", 2, 1, 1, "rebind")]
    assert pipeline.block("c").upstream == ("b", "a")
    assert [edge.kind for edge in pipeline.block("c").edges] == ["read", "order"]


# names, types, settings


def test_names_come_from_tags_then_functions_then_numbers() -> None:
    """Numbers count the blocks of one type; a name that is taken is not taken again."""
    pipeline = analyzed(
        ("loader", "x = 1"),
        ("loader:second", "y = 1"),
        ("loader", "z = 1"),
        ("transformer", "def clean(v):\n    return v\na = clean(x)"),
        ("transformer", "def clean(v):\n    return v\nb = clean(a)"),
        ("transformer", "def Clean(v):\n    return v\nc = Clean(b)"),
    )
    assert [block.name for block in pipeline.blocks] == [
        "loader_1",
        "second",
        "loader_3",
        "clean",
        "transformer_2",
        "transformer_3",
    ]


def test_a_pipeline_is_named_after_its_notebook() -> None:
    """The metadata of the notebook speaks first."""
    document = json.dumps(notebook_document(LOAD)).encode()
    names = {
        stem: analyze_notebook(parse_notebook(document, Path(f"{stem}.ipynb"))).name
        for stem in ("Flights 2013", "2013", "class")
    }
    assert names == {"Flights 2013": "flights_2013", "2013": "p_2013", "class": "class_pipeline"}
    assert analyzed(LOAD, pipeline="late").name == "late"


def test_kales_steps_get_their_type_from_the_graph() -> None:
    """Nothing before: loader; nothing after: exporter; else transformer."""
    pipeline = analyzed(("step:a", "x = 1"), ("step:b prev:a", "y = x"), ("step:c", "print(y)"))
    assert [block.type.name for block in pipeline.blocks] == [
        "data_loader",
        "transformer",
        "data_exporter",
    ]


def test_arguments_of_decorated_blocks_bind_by_name_then_by_tag() -> None:
    """Blocks, outputs and parameters by name; else the upstream tags in order."""
    pipeline = analyzed(
        ("parameters", "rate = 2"),
        ("loader:pair", "a = 1\nb = 2"),
        ("loader:single", "c = 3"),
        ("exporter", "print(a, b)"),
        (
            "",
            "@transformer\ndef by_name(pair, single, a, rate, other=4, *args, **kw):\n    return 1",
        ),
        (
            "transformer:by_tag upstream:single upstream:pair",
            "@transformer\ndef f(first, second):\n    return 1",
        ),
    )
    assert pipeline.is_valid, pipeline.problems
    by_name, by_tag = pipeline.block("by_name"), pipeline.block("by_tag")
    assert {key: str(value) for key, value in by_name.inputs.items()} == {
        "pair": "pair",
        "single": "single.c",
        "a": "pair.a",
    }
    assert by_name.parameters == ("rate",)
    assert {key: str(value) for key, value in by_tag.inputs.items()} == {
        "first": "single.c",
        "second": "pair",
    }
    assert by_tag.style is Style.DECORATED
    assert by_tag.outputs == ("by_tag",)


def test_a_decorator_of_somebody_else_makes_no_block() -> None:
    """`@sensor` of another package, or a function of that name, is left alone."""
    pipeline = analyzed(
        ("", "from dagster import sensor\n\n@sensor\ndef watch():\n    return 1"),
        ("", "def loader(f):\n    return f"),
        ("", "@loader\ndef g():\n    return 1"),
        ("loader:a", "x = 1"),
    )
    assert [block.name for block in pipeline.blocks] == ["a"]


def test_settings_of_cells_and_notebook_are_read() -> None:
    """They come with the draft, checked."""
    pipeline = analyzed(
        (
            "loader:a",
            "x = 1",
            {"executor": "k8s", "retries": {"retries": 2, "delay": 1}, "resources": {"cpu": 0.5}},
        ),
        ("loader:a", "y = 1", {"cache": False}),
        executor="ecs",
        retries=3,
    )
    settings = pipeline.block("a").settings
    assert settings.executor == "k8s"
    assert settings.retries is not None
    assert (settings.retries.retries, settings.retries.delay_s) == (2, 1)
    assert settings.resources == {"cpu": 0.5}
    assert settings.cache is False
    assert pipeline.settings.executor == "ecs"
    assert pipeline.settings.retries is not None
    assert pipeline.settings.retries.retries == 3


def test_what_is_left_out_on_purpose_is_noted() -> None:
    """Magics for the notebook alone are no mistakes."""
    notes = analyzed(("imports", "import os\n%matplotlib inline"), LOAD).notes
    assert [(note.cell, note.line) for note in notes] == [(1, 2)]


def test_a_module_beside_the_notebook_may_change_its_arguments(tmp_path: Path) -> None:
    """`tools.grow(xs)` changes `xs` if `tools` is the user's own; library calls do not."""
    cells: tuple[Source, ...] = (
        ("imports", "import tools\nimport os"),
        LOAD_LIST,
        ("transformer:grow", "tools.grow(xs)"),
        ("exporter:save", "print(xs)"),
    )
    assert io(*cells)["save"][0] == {"xs": "load.xs"}
    (tmp_path / "tools.py").write_text("")
    assert io(*cells, folder=tmp_path)["save"][0] == {"xs": "grow.xs"}
