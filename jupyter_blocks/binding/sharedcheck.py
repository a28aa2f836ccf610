"""What the functions of the shared module read: whether it will be there when they are called.

Only functions that a block uses, directly or through others, are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.shared import Helper
from jupyter_blocks.binding.sharedstate import remembers
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.dataflow import Use, is_builtin

__all__ = ["check_helpers", "read_parameters"]

_SHARED = (Origin.IMPORT, Origin.HELPER, Origin.PARAMETER)


def read_parameters(walk: Walk, names: Iterable[str]) -> tuple[str, ...]:
    """Parameters that the helpers called `names` read, themselves or through others."""
    found = {
        name
        for helper in walk.shared.reach(names).values()
        for name in helper.free
        if name in walk.setup.parameters
    }
    return tuple(name for name in walk.setup.parameters if name in found)


def check_helpers(walk: Walk, used: Iterable[str]) -> None:
    """Report what the used helpers read and the shared module cannot have."""
    read_by_blocks = {
        name: block.name for block in walk.blocks.values() for name in block.module_names
    }
    for helper in walk.shared.reach(used).values():
        for name in sorted(helper.free):
            _check_name(walk, helper, name)
        if helper.statement is not None:
            what = remembers(helper.statement)
            if helper.name in helper.changes:
                what = f"an attribute of '{helper.name}' itself"
            if what:
                _changes_itself(walk, helper, what)
        for name in sorted(helper.changes):
            known = walk.shared.helpers.get(name)
            if name in read_by_blocks and known is not None and not known.is_definition:
                _changes_shared(walk, helper, name, read_by_blocks[name])


def _check_name(walk: Walk, helper: Helper, name: str) -> None:
    history = [item for item in walk.scope.history(name) if not item.skipped]
    if not history:
        _check_absent(walk, helper, name)
        return
    for provider in history:
        if provider.origin in (Origin.DATA, Origin.RESULT, Origin.DELETED):
            _reads_data(walk, helper, name, provider)
            return
        if provider.origin not in _SHARED:
            reader = f"'{helper.name}'"
            use = Use(name, helper.line)
            problem = walk.where.unusable(name, reader, helper.code, use, provider)
            walk.report.error(problem[0], helper.code.cell, *problem[1:], line=helper.line)
            return
        walk.reader.check_untouched(helper.code, Use(name, helper.line), provider)
        if walk.scope.outdated(provider):
            walk.reader.warn_of_alias(helper.code, Use(name, helper.line), provider)
    if name in walk.imports.conflicts:
        cells = " and ".join(str(number) for number in walk.imports.cells_of(name))
        walk.report.error(
            "conflicting-imports",
            helper.code.cell,
            f"'{helper.name}' uses '{name}', which cells {cells} import from different places.",
            "Import one of them under another name, with 'as'.",
            line=helper.line,
        )


def _check_absent(walk: Walk, helper: Helper, name: str) -> None:
    if name == "get_ipython":
        walk.report.error(
            "no-ipython",
            helper.code.cell,
            f"'{helper.name}' calls get_ipython(), which exists in a notebook only.",
            "Use a function of a library instead.",
            line=helper.line,
        )
    elif not is_builtin(name) and not walk.where.is_filled_above(helper.code):
        walk.report.warning(
            "undefined-name",
            helper.code.cell,
            f"'{helper.name}' reads '{name}', which no cell sets.",
            "Set it in a setup cell, or correct it.",
            line=helper.line,
        )


def _reads_data(walk: Walk, helper: Helper, name: str, provider: Provider) -> None:
    walk.report.error(
        "helper-reads-data",
        helper.code.cell,
        f"'{helper.name}' reads '{name}' as a global variable, and "
        f"{walk.where.provider(provider)} sets it. Each block runs in a process of its own, where "
        "a shared function cannot see it.",
        f"Pass '{name}' as an argument of '{helper.name}'.",
        line=helper.line,
    )


def _changes_itself(walk: Walk, helper: Helper, what: str) -> None:
    """A counter on a class or a function, which more than one block would have to see."""
    users = [
        block.name
        for block in walk.blocks.values()
        if helper.name in walk.shared.reach(block.module_names)
    ]
    if len(users) > 1:
        walk.report.error(
            "shared-state",
            helper.code.cell,
            f"'{helper.name}' changes {what} when it is used, and "
            f"blocks '{users[0]}' and '{users[1]}' both use it. Each block runs in a process of "
            "its own and would not see the change.",
            "Keep the value in the objects, or use it in one block only (tag 'continue').",
            line=helper.line,
        )


def _changes_shared(walk: Walk, helper: Helper, name: str, block: str) -> None:
    walk.report.error(
        "shared-state",
        helper.code.cell,
        f"'{helper.name}' changes '{name}', which block '{block}' reads. Each block runs in a "
        "process of its own and would not see the change.",
        f"Return the value from '{helper.name}' instead.",
        line=helper.line,
    )
