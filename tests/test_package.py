"""What `import jupyter_blocks` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import jupyter_blocks


def test_public_names_are_complete_and_sorted() -> None:
    """Everything in `__all__` is there, in order, and nothing is listed twice."""
    assert list(jupyter_blocks.__all__) == sorted(jupyter_blocks.__all__)
    assert len(set(jupyter_blocks.__all__)) == len(jupyter_blocks.__all__)
    for name in jupyter_blocks.__all__:
        assert getattr(jupyter_blocks, name) is not None
    assert dir(jupyter_blocks) == sorted(jupyter_blocks.__all__)


def test_unknown_names_are_refused() -> None:
    """As any module does."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = jupyter_blocks.nothing


@pytest.mark.parametrize(
    "statement",
    [
        "import jupyter_blocks",
        "import jupyter_blocks.run",
        "from jupyter_blocks.run import RunState; import jupyter_blocks.launch, jupyter_blocks",
        "from jupyter_blocks import run; import jupyter_blocks",
    ],
)
def test_run_is_the_function(statement: str) -> None:
    """Whatever was imported before: the module run.py never takes the name."""
    code = f"{statement}; print(jupyter_blocks.run.__qualname__, jupyter_blocks.run.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "run jupyter_blocks.api\n"
