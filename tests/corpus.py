"""Notebooks of the shapes that people publish, all written for these tests, and what comes of each.

They lie in `data/notebooks`. Each is tagged in two ways: every code cell a block of its own, and as
`suggest` proposes. The expectations say which modules a notebook needs, which outputs cannot be
compared, and the exact words where export refuses.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_blocks.export import export_notebook
from jupyter_blocks.magics import strip_magics
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.notebooktext import retagged
from jupyter_blocks.suggest import suggest_tags

__all__ = ["CORPUS", "EACH", "FOLDER", "SUGGESTED", "Expected", "exported", "tagged"]

FOLDER = Path(__file__).parent / "data" / "notebooks"
EACH, SUGGESTED = "each cell", "suggested"
"""The two ways to tag."""

_TYPES = ("loader", "transformer", "exporter")


@dataclass(frozen=True)
class Expected:
    """What comes of a notebook."""

    needs: tuple[str, ...] = ()
    """Modules without which it does not run."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Way to tag -> all that export says against it."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """Way to tag -> why no notebook can be made from the project once this one is gone."""
    incomparable: Mapping[str, str] = field(default_factory=dict)
    """Output that cannot be compared -> why."""
    checked: tuple[str, ...] = (EACH, SUGGESTED)
    """Ways in which it is run; one is enough where that takes longer."""


_SAME = Expected()


def _both(reason: str) -> Mapping[str, str]:
    return {EACH: reason, SUGGESTED: reason}


CORPUS: dict[str, Expected] = {
    "classes_over_cells.ipynb": _SAME,
    "classification.ipynb": Expected(needs=("sklearn",), checked=(EACH,)),
    "descriptive_statistics.ipynb": Expected(needs=("matplotlib",), checked=(SUGGESTED,)),
    "expected_errors.ipynb": _SAME,
    "files_between_cells.py": _SAME,
    "functional_python.ipynb": Expected(
        incomparable={
            "squares": "not stored: it is a generator of type generator, which does not survive "
            "the end of its process. Store what it yields, such as `list(...)`, or create it "
            "inside the block that uses it."
        }
    ),
    "global_state.ipynb": Expected(
        refused=_both(
            "global_state.ipynb, cell 2, line 2: 'global total' writes a variable of the notebook "
            "from inside a function. Return the value and assign it: total = ..."
        )
    ),
    "größe_und_naïve.ipynb": _SAME,
    "hypothesis_tests.ipynb": Expected(needs=("scipy",), checked=(EACH,)),
    "large_numbers.ipynb": Expected(needs=("matplotlib", "scipy"), checked=(EACH,)),
    "linear_algebra.ipynb": Expected(needs=("scipy",), checked=(SUGGESTED,)),
    "linear_regression.ipynb": Expected(needs=("matplotlib", "statsmodels"), checked=(EACH,)),
    "magics_and_timing.ipynb": Expected(needs=("matplotlib",), checked=(EACH,)),
    "markdown_only.ipynb": Expected(
        refused=_both(
            "markdown_only.ipynb: The notebook has no code, so there is nothing to export. Write "
            "code cells, and tag them 'loader', 'transformer' or 'exporter'."
        )
    ),
    "monte_carlo.ipynb": _SAME,
    "numpy_arrays.ipynb": _SAME,
    "pandas_chaining.ipynb": Expected(checked=(EACH,)),
    "pandas_cleaning.ipynb": Expected(checked=(SUGGESTED,)),
    "pandas_indexing.ipynb": _SAME,
    "pandas_reshaping.ipynb": Expected(checked=(EACH,)),
    "panel_econometrics.ipynb": Expected(checked=(SUGGESTED,)),
    "plain_python.ipynb": _SAME,
    "plots_in_steps.ipynb": Expected(needs=("matplotlib",)),
    "random_walks.ipynb": Expected(needs=("matplotlib",), checked=(SUGGESTED,)),
    "script_style.py": _SAME,
    "segregation.ipynb": Expected(needs=("matplotlib",), checked=(EACH,)),
    "shared_state.ipynb": Expected(
        gone={
            EACH: "shared_state.ipynb, cell 4, line 6: Block 'block_3' reads 'cache', which no "
            "cell sets.",
            SUGGESTED: "shared_state.ipynb, cell 4, line 7: The argument 'cache' of 'run_lookup' "
            "names no earlier block, no value of one and no parameter.",
        },
    ),
    "shell_lines.ipynb": Expected(
        refused={
            EACH: "shell_lines.ipynb, cell 2, line 1: '!echo hello' is a shell command. Write "
            "subprocess.run(['echo', 'hello'], check=True) (import subprocess), or delete the "
            "line.\n"
            "shell_lines.ipynb, cell 3, line 1: '!ls' is a shell command. Write files = "
            "subprocess.run(['ls'], check=True, capture_output=True, "
            "text=True).stdout.splitlines().",
            SUGGESTED: "shell_lines.ipynb, cell 3, line 1: '!ls' is a shell command. Write files "
            "= subprocess.run(['ls'], check=True, capture_output=True, "
            "text=True).stdout.splitlines().",
        }
    ),
    "sqlite_connection.ipynb": Expected(checked=(SUGGESTED,)),
    "sqlite_database.ipynb": Expected(checked=(EACH,)),
    "star_imports.ipynb": _SAME,
    "text_and_dates.ipynb": _SAME,
    "time_series.ipynb": Expected(checked=(EACH,)),
    "top_level_await.ipynb": _SAME,
    "weather_report.ipynb": Expected(needs=("matplotlib",), checked=(SUGGESTED,)),
}
"""File name -> what comes of it."""


def tagged(name: str, folder: Path, way: str) -> Path:
    """A copy of a notebook of the corpus in `folder`, with its cells tagged."""
    path = folder / name
    shutil.copyfile(FOLDER / name, path)
    tags = _tags_of_each_cell(path) if way == EACH else _suggested(path)
    path.write_bytes(retagged(path.read_bytes(), path, tags))
    return path


def _suggested(path: Path) -> dict[int, str]:
    return {proposal.index: proposal.tag for proposal in suggest_tags(read_notebook(path))}


def _tags_of_each_cell(path: Path) -> dict[int, str]:
    """A block for each cell, but for those that only import, are empty, or are meant to fail."""
    tags: dict[int, str] = {}
    for cell in read_notebook(path).code_cells:
        if "raises-exception" in cell.tags or not cell.source.strip():
            continue
        body = ast.parse(strip_magics(cell.source).source).body
        imports = [isinstance(node, ast.Import | ast.ImportFrom) for node in body]
        block = f"{_TYPES[len(tags) % 3]}:block_{cell.number}"
        tags[cell.number] = "imports" if imports and all(imports) else block
    return tags


def exported(path: Path) -> dict[str, str]:
    """Export a notebook; the text of each file of code, by its path in the project."""
    result = export_notebook(path)
    assert result.is_ok, "\n".join(map(str, result.problems))
    return {
        file.relative_to(path.parent).as_posix(): file.read_text("utf-8")
        for file in sorted(path.parent.rglob("*.py"))
        if file != path and ".blocks" not in file.parts
    }
