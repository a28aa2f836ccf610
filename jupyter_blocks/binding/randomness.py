"""Random numbers: a block draws them in a process of its own, not in the stream of the notebook."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_blocks.binding.draft import BlockDraft
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.tags import Role

__all__ = ["check_random_draws"]

_SEEDS = frozenset(
    ("manual_seed", "seed", "set_random_seed", "set_seed", "set_state", "setstate"),
)
_NO_DRAWS = frozenset(
    (
        "Generator",
        "Random",
        "RandomState",
        "SeedSequence",
        "SystemRandom",
        "default_rng",
        "get_state",
        "getstate",
    ),
)


def check_random_draws(walk: Walk, blocks: Sequence[BlockDraft]) -> None:
    """Warn of random draws that a seed elsewhere in the notebook is meant to repeat."""
    if _is_seeded(walk):
        for draft in blocks:
            _check_draws(walk, walk.blocks[draft.name])


def _is_seeded(walk: Walk) -> bool:
    """Whether the notebook seeds a generator anywhere: then its numbers are meant to repeat."""
    return any(
        name.rpartition(".")[2] in _SEEDS
        for code in walk.codes
        if code.tags.role is not Role.SKIP
        for name, _line in code.flow.attribute_calls
    )


def _check_draws(walk: Walk, block: OpenBlock) -> None:
    for code, flow in zip(block.plan.cells, block.flows, strict=False):
        seeded = False
        for name, line in flow.attribute_calls:
            method = name.rpartition(".")[2]
            seeded = seeded or method in _SEEDS
            if not seeded and method not in _NO_DRAWS and _is_draw(walk, name):
                walk.report.warning(
                    "random-stream",
                    code.cell,
                    f"Block '{block.name}' draws random numbers and does not seed the generator "
                    "itself; in a process of its own it draws others than in the notebook.",
                    "Seed it at the beginning of this cell.",
                    line=line,
                    block=block.name,
                )
                return
        if seeded:
            return


def _is_draw(walk: Walk, name: str) -> bool:
    """Whether the dotted name is a function of a random module."""
    root, _, rest = name.partition(".")
    module = walk.imports.module_of(root)
    if module == "numpy":
        return rest.startswith("random.")
    return bool(rest) and module in ("random", "numpy.random")
