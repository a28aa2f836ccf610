"""Options of the whole process: whatever way they are set, they hold for the blocks after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.opening import open_target
from jupyter_blocks.variables.store import VariableStore
from tests.notebooks import Source, notebook

IMPORTS = (
    "functions",
    """
    import csv, decimal, gc, logging, os, random, socket, sys, time, warnings
    import numpy as np
    import pandas as pd
    import matplotlib.pyplot as plt
    def wide():
        pd.set_option('display.width', 321)
    def sized(size):
        plt.rcParams['font.size'] = size
    def show(x):
        plt.rcParams['axes.labelsize'] = 23
        plt.plot(x)
    def drawn(x, size):
        plt.rcParams['font.size'] = size
        plt.plot(x)
    """,
)

KEPT: dict[str, tuple[tuple[str, ...], str, Any]] = {
    "the level of a logger": (
        ("logging.getLogger('a').setLevel(10)",),
        "logging.getLogger('a').level",
        10,
    ),
    "a logger with a name": (
        ("log = logging.getLogger('b')\nlog.propagate = False", "log.setLevel(10)"),
        "(logging.getLogger('b').level, logging.getLogger('b').propagate)",
        (10, False),
    ),
    "a handler": (
        (
            """
            h = logging.StreamHandler()
            h.setFormatter(logging.Formatter('%(message)s'))
            logging.getLogger('c').addHandler(h)
            n = 1
            """,
        ),
        "[one.formatter._fmt for one in logging.getLogger('c').handlers]",
        ["%(message)s"],
    ),
    "logging switched off": (("logging.disable(50)",), "logging.root.manager.disable", 50),
    "the precision of decimals": (
        ("context = decimal.getcontext()\ncontext.prec = 5",),
        "str(decimal.Decimal(1) / 3)",
        "0.33333",
    ),
    "a variable that is changed and one that is deleted": (
        (
            "os.environ['QQ'] = 'a'\nos.environ['QX'] = 'a'",
            "os.environ['QQ'] += 'b'",
            "del os.environ['QX']",
        ),
        "(os.environ['QQ'], 'QX' in os.environ)",
        ("ab", False),
    ),
    "lists of the interpreter": (
        ("sys.argv.append('q')", "sys.argv.append('q')"),
        "sys.argv.count('q')",
        2,
    ),
    "limits": (
        ("socket.setdefaulttimeout(5)\ncsv.field_size_limit(99999)\ngc.disable()",),
        "(socket.getdefaulttimeout(), csv.field_size_limit(), gc.isenabled())",
        (5.0, 99999, False),
    ),
    "put back as they were": (
        ("old = np.seterr(all='raise')", "np.seterr(**old)"),
        "np.geterr()['divide']",
        "warn",
    ),
    "attributes of libraries": (
        (
            "np.own = lambda x: x + 1",
            "setattr(pd.DataFrame, 'own', lambda self: len(self))",
            "np.count = 0",
            "np.count += 1",
        ),
        "(np.own(1), pd.DataFrame({'a': [1]}).own(), np.count)",
        (2, 1, 1),
    ),
    "an accessor of pandas": (
        (
            """
            @pd.api.extensions.register_dataframe_accessor('own_count')
            class Count:
                def __init__(self, table):
                    self.rows = len(table)
            x = 1
            """,
        ),
        "pd.DataFrame({'a': [1]}).own_count.rows",
        1,
    ),
    "by functions": (
        ("wide()", "sized(21)", "show([1, 2])"),
        "[pd.get_option('display.width'), *map(plt.rcParams.get, ['font.size', 'axes.labelsize'])]",
        [321, 21.0, 23.0],
    ),
    "in a loop that does more": (
        ("for k in range(2):\n    x = k * 2\n    os.environ['QQ'] = 'z'",),
        "os.environ['QQ']",
        "z",
    ),
    "put back by a context manager": (
        ("with np.errstate(all='ignore'):\n    np.seterr(divide='raise')\n    y = 2",),
        "np.geterr()['divide']",
        "warn",
    ),
}

REFUSED: dict[str, tuple[str, str]] = {
    "a function of a library wrapped": (
        "plain = np.mean; np.mean = lambda x: plain(x) + 1",
        "option-reads-data",
    ),
    "what a function sets from its arguments, and does more": (
        "drawn([1, 2], 22)",
        "option-inside",
    ),
    "what a loop sets from its variable": (
        "for k in range(2):\n    print(k)\n    os.environ['QQ'] = str(k)",
        "option-inside",
    ),
}


def blocks(sources: tuple[str, ...], last: str) -> tuple[Source, ...]:
    """Imports, a block for each source, and one that looks."""
    return (IMPORTS, *(("transformer", source) for source in sources), ("transformer:last", last))


@pytest.mark.parametrize("case", KEPT)
def test_an_option_holds_for_the_blocks_after_it(case: str, tmp_path: Path) -> None:
    """In a process of its own, too."""
    sources, looks, expected = KEPT[case]
    opened = open_target(str(notebook(tmp_path, *blocks(sources, f"r = {looks}"))), None, tmp_path)
    launch = prepare(opened.project, opened.pipeline, RunRequest(max_workers=1))
    with launch.dispatcher() as dispatcher:
        state = dispatcher.run()
    assert str(state.status) == "SUCCEEDED", state.as_json()
    store = VariableStore(opened.project.variables_root)
    manifest = store.latest(opened.pipeline.name, "last")
    assert manifest is not None
    assert store.load(manifest, "r") == expected


@pytest.mark.parametrize("case", REFUSED)
def test_an_option_that_no_block_can_set_anew_is_refused(case: str, tmp_path: Path) -> None:
    """With the cell that sets it and the block that it holds for."""
    source, code = REFUSED[case]
    problems = analyze_notebook(read_notebook(notebook(tmp_path, *blocks((source,), "x = 1"))))
    (problem,) = [item for item in problems.problems if item.severity == "error"]
    assert (problem.code, problem.cell, problem.line) == (code, 2, 1)
    assert "block 'last' (cell 3)" in problem.message
