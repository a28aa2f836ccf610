"""From a notebook that was read to the pipeline it describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from keyword import iskeyword
from pathlib import Path

from jupyter_blocks.binding.cellcode import CellCode, read_code
from jupyter_blocks.binding.draft import Note, NotebookPipeline
from jupyter_blocks.binding.finish import finished_blocks, finished_helpers
from jupyter_blocks.binding.grouping import BlockPlan, group_cells
from jupyter_blocks.binding.order import check_cycle
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.sharedcheck import check_helpers
from jupyter_blocks.binding.together import Group, merged
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.block import module_name
from jupyter_blocks.cellsettings import read_cell_settings, read_notebook_settings
from jupyter_blocks.dataflow import Definition
from jupyter_blocks.notebook import Notebook
from jupyter_blocks.tags import Role, read_tags

__all__ = ["analyze_notebook"]

_MOST_WALKS = 6
"""A name may be found to share only after others do."""


def analyze_notebook(notebook: Notebook, *, pipeline: str | None = None) -> NotebookPipeline:
    """The pipeline a notebook describes, with every problem of every cell.

    Raises nothing for what is wrong in the cells. `pipeline` overrides the name of the pipeline,
    which else is that of the notebook's metadata or of its file. Runs no code of the notebook, but
    imports the modules of `from module import *` in a process of their own.
    """
    report = Report(notebook.name)
    report.extend(list(notebook.problems))
    settings, problems = read_notebook_settings(notebook)
    report.extend(problems)
    codes, notes = _codes(notebook, report)
    plans = group_cells(codes, report)
    walk = _walked(codes, plans, notebook.path.parent, report)
    report = walk.report
    blocks = finished_blocks(walk)
    check_cycle(walk, blocks, report)
    return NotebookPipeline(
        name=pipeline or settings.pipeline or _default_name(notebook.path.stem),
        path=notebook.path,
        settings=settings,
        blocks=tuple(blocks),
        parameters=walk.setup.parameters,
        helpers=finished_helpers(walk),
        problems=notebook.located(report.problems),
        notes=tuple(notes),
    )


def _walked(
    codes: Sequence[CellCode], plans: Sequence[BlockPlan], folder: Path, report: Report
) -> Walk:
    """The walk over the notebook; over again while names part that share objects."""
    best = walk = _walk(codes, plans, folder, report, ())
    for _round in range(_MOST_WALKS):
        groups = merged((*walk.reader.together.groups, *walk.reader.together.parted))
        if groups == walk.reader.together.groups:
            break
        walk = _walk(codes, plans, folder, report, groups)
        best = walk if _errors(walk) <= _errors(best) else best  # it lets more names go on together
    return best


def _walk(
    codes: Sequence[CellCode],
    plans: Sequence[BlockPlan],
    folder: Path,
    report: Report,
    groups: tuple[Group, ...],
) -> Walk:
    walk = Walk(codes, plans, folder, report.copy(), groups)
    walk.run()
    used = {
        name for block in walk.blocks.values() for name in (*block.module_names, *block.test_names)
    }
    check_helpers(walk, used)
    return walk


def _errors(walk: Walk) -> int:
    return sum(item.severity == "error" for item in walk.report.problems)


def _default_name(stem: str) -> str:
    name = module_name(stem)
    return f"{name}_pipeline" if iskeyword(name) else name


def _codes(notebook: Notebook, report: Report) -> tuple[list[CellCode], list[Note]]:
    """The code cells, read in notebook order: later ones know the functions of earlier ones."""
    codes: list[CellCode] = []
    notes: list[Note] = []
    known: Mapping[str, Definition] = {}
    lazy_annotations = False
    for cell in notebook.code_cells:
        tags, problems = read_tags(cell.tags, cell.source)
        report.extend_for(cell, problems)
        settings, problems = read_cell_settings(cell, notebook.name)
        report.extend(problems)
        code, problems, said = read_code(
            cell,
            tags,
            settings,
            notebook=notebook.name,
            known=known,
            lazy_annotations=lazy_annotations,
        )
        report.extend(problems)
        codes.append(code)
        if tags.role is Role.SKIP:
            continue
        lazy_annotations = lazy_annotations or code.parsed.makes_annotations_lazy
        notes += [Note(cell.number, line, text) for line, text in said]
        known = _known_after(code, known)
    return codes, notes


def _known_after(code: CellCode, known: Mapping[str, Definition]) -> Mapping[str, Definition]:
    """The functions and classes that are known after a cell; `known` itself if they are those."""
    bound = {*code.flow.binds, *code.flow.maybe_binds}
    if not code.definitions and bound.isdisjoint(known):
        return known
    kept = {name: found for name, found in known.items() if name not in bound}
    return {**kept, **code.definitions}
