"""The executor that the documentation tells people to start with keeps the contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.testing.executor_contract import ExecutorContract

PAGE = Path(__file__).parent.parent.parent / "docs" / "executors.md"


def documented_code() -> dict[str, Any]:
    """What the first Python block of the page defines."""
    found = re.search(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert found
    names: dict[str, Any] = {"__name__": "one_process"}
    exec(compile(found[1], str(PAGE), "exec"), names)
    return names


class TestDocumentedExecutor(ExecutorContract):
    """The skeleton on the page about executors."""

    def open(self, context: ExecutorContext) -> Executor:
        executor: Executor = documented_code()["OneProcessExecutor"](context)
        return executor
