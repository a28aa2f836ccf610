"""A project that has been run, for commands that only look."""

from __future__ import annotations

from pathlib import Path

import pytest

import jupyter_blocks
from tests.projects import block, write_project

BAD = """
print('trying')
import sys
print('careful', file=sys.stderr)
raise ValueError('no luck')
"""


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a number made of it, a block with two outputs, and one that failed twice."""
    root = tmp_path_factory.mktemp("ran") / "project"
    table = "import pandas as pd\nreturn pd.DataFrame({'n': range(30), 't': list('abc') * 10})"
    retry = {"retries": 1, "delay": 0}
    write_project(
        root,
        [
            block("load", table),
            block("total", "print('adding')\nreturn int(load.n.sum())", ["load"]),
            block("bad", BAD, ["load"], retry_config=retry),
            block("after", upstream=["bad"]),
        ],
        variables={"month": 1},
    )
    assert jupyter_blocks.run("pipe", root).status == "FAILED"
    return root
