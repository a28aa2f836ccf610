"""`jupyter blocks repair`: what was rebuilt, and what is damaged."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupyter_blocks.commands.base import Command, add_json, add_project, project_of
from jupyter_blocks.console import Console
from jupyter_blocks.repair import RepairReport, repair_project
from jupyter_blocks.wording import plural

__all__ = ["REPAIR"]


def _configure(parser: ArgumentParser) -> None:
    add_project(parser)
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    report = repair_project(project_of(args))
    for problem in report.problems:
        say = console.error if problem.severity == "error" else console.warning
        say(str(problem))
    if console.as_json:
        console.document(report.as_json())
    else:
        for line in _lines(report):
            console.result(line)
    return 1 if any(problem.severity == "error" for problem in report.problems) else 0


def _lines(report: RepairReport) -> list[str]:
    lines = []
    if report.moved is not None:
        lines.append(f"The journal was damaged; it is kept as {report.moved.name}.")
    if report.restored:
        lines.append(f"Entered {plural(len(report.restored), 'run')} from the stored files.")
    if report.known:
        lines.append(f"{plural(report.known, 'run')} in the journal, nothing to do for them.")
    if not report.restored and not report.known:
        lines.append("Nothing has been run yet.")
    if any(problem.severity == "error" for problem in report.problems):
        lines.append("Some stored outputs are damaged: run their blocks again.")
    else:
        lines.append("All stored outputs are whole.")
    return lines


REPAIR = Command(
    about=(
        "Rebuild the run journal from the stored files, and verify every stored output.\n"
        "A damaged journal is moved aside, not deleted; outputs are never changed."
    ),
    examples=("repair", "repair --project my_project --json"),
    configure=_configure,
    execute=_execute,
    exits="0 all is well now; 1 a stored output is damaged; 75 a run goes on.",
)
