"""What may follow in a `%blocks` line: words, options, names of blocks, outputs and executors."""

from __future__ import annotations

from jupyter_blocks.executors.table import executor_names
from jupyter_blocks.kernel.magic import RUN_OPTIONS, WORDS
from jupyter_blocks.kernel.session import Session

__all__ = ["words"]


def words(session: Session, line: str) -> list[str]:
    """The words that begin as the last one of `line` does."""
    given = line.split()[1:]
    begun = "" if line[-1:].isspace() or not given else given.pop()
    return sorted(word for word in _choices(session, given) if word.startswith(begun))


def _choices(session: Session, given: list[str]) -> list[str]:
    if not given:
        return list(WORDS)
    if given[0] in ("load", "show") and len(given) == 1:
        return _names(session, outputs=True)
    if given[0] != "run":
        return []
    if given[-1] == "--executor":
        return list(executor_names())
    if given[-1] in ("--from", "--to", "--block"):
        here = ["here"] if given[-1] == "--from" else []
        return [*_names(session, outputs=False), *here]
    return [option for option in RUN_OPTIONS if option not in given or option == "--block"]


def _names(session: Session, *, outputs: bool) -> list[str]:
    session.locate()
    view = session.view()
    if view is None:
        return []
    names = {block.name for block in view.draft.blocks}
    if outputs:
        names |= {output for block in view.draft.blocks for output in block.outputs}
    return list(names)
