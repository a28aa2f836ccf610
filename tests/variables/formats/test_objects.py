"""All other objects come back as they were: pickled, by name or by value, and proven to load."""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import subprocess
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats import decode
from tests.variables.same import assert_same
from tests.variables.stored import store, there_and_back


@dataclasses.dataclass
class Record:
    name: str
    values: Any


class Colour(enum.Enum):
    RED = "red"


class Flags(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Point(NamedTuple):
    x: int
    y: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    key: tuple[int, ...]


Case = Callable[[], Any]

OBJECTS: dict[str, Case] = {
    "dataclass": lambda: Record("a", [1, 2]),
    "frozen dataclass with slots": lambda: Frozen((1, 2)),
    "named tuple": lambda: Point(1, [2]),
    "named tuples in containers": lambda: {Point(1, 2): [Point(3), Point(y=Point(4), x=5)]},
    "enum": lambda: Colour.RED,
    "enums as keys": lambda: {Colour.RED: Flags.READ | Flags.WRITE},
    "ordered dict": lambda: OrderedDict(b=1, a=2),
    "default dict": lambda: defaultdict(list, a=[1]),
    "counter": lambda: Counter("abca"),
    "deque": lambda: deque([1, 2], maxlen=3),
    "fraction": lambda: Fraction(1, 3),
    "partial": lambda: functools.partial(int, base=2).args,
    "path": lambda: Path("a/b"),
    "slice": lambda: [slice(1, 2)],
    "timestamp": lambda: pd.Timestamp("2020-01-01", tz="Europe/Berlin"),
    "missing": lambda: [pd.NaT, pd.NA],
    "numpy string": lambda: np.str_("a"),
    "exception": lambda: str(ValueError("a")),
    "complex structure": lambda: {"a": Record("x", {"y": (1, [Colour.RED])}), 1: {2, 3}},
}


@pytest.mark.parametrize("case", OBJECTS)
def test_other_objects_come_back_as_they_were(case: str, tmp_path: Path) -> None:
    """Same class, equal, same repr."""
    value = OBJECTS[case]()
    again = there_and_back(tmp_path, value)
    assert type(again) is type(value)
    assert repr(again) == repr(value)


def test_a_thing_with_two_names_stays_one_thing(tmp_path: Path) -> None:
    """Cycles, too."""
    row = [0]
    again = there_and_back(tmp_path, {"rows": [row, row]})
    again["rows"][0].append(1)
    assert again == {"rows": [[0, 1], [0, 1]]}
    cycle: list[Any] = []
    cycle.append(cycle)
    again = there_and_back(tmp_path / "cycle", cycle)
    assert again[0] is again


def test_tables_and_arrays_inside_objects_keep_their_memory_apart(tmp_path: Path) -> None:
    """Their memory is mapped, writable and private."""
    value = {"array": np.arange(100_000.0), "frame": pd.DataFrame({"a": np.arange(50_000)}), "n": 1}
    stored, source = store(tmp_path, value)
    pickled, buffers = stored.objects
    assert pickled.size < 10_000
    assert buffers.size >= 1_200_000
    again, other = decode(stored, source), decode(stored, source)
    again["array"][0] = again["frame"].loc[0, "a"] = 99
    assert (other["array"][0], other["frame"].loc[0, "a"]) == (0, 0)
    assert_same(value["frame"], other["frame"])


def test_memory_that_was_read_only_stays_read_only(tmp_path: Path) -> None:
    """As pickle does it."""
    array = np.arange(100_000)
    array.flags.writeable = False
    again = there_and_back(tmp_path, [array, np.arange(100_000)])
    assert [item.flags.writeable for item in again] == [False, True]


ROWS = np.random.default_rng(7).random((40, 3))
ANSWERS = ROWS @ [1.0, -2.0, 0.5] + 3

MODELS: dict[str, str] = {
    "linear": "linear_model.LinearRegression()",
    "forest": "ensemble.RandomForestRegressor(5, random_state=1)",
    "boosted": "ensemble.HistGradientBoostingRegressor(max_iter=5)",
    "pipeline": "pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge())",
    "search": "model_selection.GridSearchCV(linear_model.Ridge(), {'alpha': [0.1, 1]}, cv=2)",
    "neighbours": "neighbors.KNeighborsRegressor(2)",
}


@pytest.mark.parametrize("case", MODELS)
def test_models_come_back_fitted(case: str, tmp_path: Path) -> None:
    """And are called models."""
    pytest.importorskip("sklearn")
    package, _, rest = MODELS[case].partition(".")
    names = {name: importlib.import_module(f"sklearn.{name}") for name in SKLEARN}
    model = eval(f"{package}.{rest}", names).fit(ROWS, ANSWERS)
    stored, source = store(tmp_path, model)
    assert stored.type == "model"
    assert (decode(stored, source).predict(ROWS) == model.predict(ROWS)).all()
    if not stored.meta:
        assert _predicted_elsewhere(tmp_path / "attempt" / stored.objects[0].key) == str(
            model.predict(ROWS[:1]).tolist()
        )


def _predicted_elsewhere(file: Path) -> str:
    """What the model in a pickle predicts in a process that has imported nothing."""
    script = (
        "import pickle, sys; model = pickle.load(open(sys.argv[1], 'rb'))\n"
        f"print(model.predict({ROWS[:1].tolist()}).tolist())"
    )
    command = [sys.executable, "-c", script, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


SKLEARN = (
    "ensemble",
    "linear_model",
    "model_selection",
    "neighbors",
    "pipeline",
    "preprocessing",
)


def test_statsmodels_come_back_fitted(tmp_path: Path) -> None:
    """With what they say of themselves, by formula, too."""
    formula = pytest.importorskip("statsmodels.formula.api")
    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"]).assign(y=ANSWERS)
    fitted = formula.ols("y ~ a + np.log(b)", frame).fit()
    again = there_and_back(tmp_path, fitted)
    assert_same(fitted.params, again.params)
    assert_same(fitted.predict(frame[:5]), again.predict(frame[:5]))
    assert str(again.summary().tables[1]) == str(fitted.summary().tables[1])


KINDS_OF_SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")


@pytest.mark.parametrize("kind", KINDS_OF_SPARSE)
@pytest.mark.parametrize("what", ["matrix", "array"])
def test_sparse_matrices_come_back(what: str, kind: str, tmp_path: Path) -> None:
    """Entry by entry, in the layout they had."""
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.random.default_rng(1).random((50, 40))
    value = getattr(sparse, f"{kind}_{what}")(np.where(dense < 0.1, dense, 0.0))
    again = there_and_back(tmp_path, value)
    assert type(again) is type(value)
    assert_same(value.toarray(), again.toarray())


def block_module(name: str, source: str) -> types.ModuleType:
    """A module as a worker makes one of a block file: loaded, but not importable elsewhere."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(source, module.__dict__)
    return module


BLOCK_FILE = """
from dataclasses import dataclass
SCALE = 10
@dataclass
class Scaled:
    value: int
    def scaled(self):
        return helper(self.value)
def helper(value):
    return value * SCALE
"""


@pytest.mark.parametrize("what", ["instance", "class", "function", "in a container"])
def test_classes_of_a_block_file_are_stored_by_value(what: str, tmp_path: Path) -> None:
    """Another process, which has no such module, calls their methods."""
    module = block_module("block_of_this_test", BLOCK_FILE)
    value = {
        "instance": lambda: module.Scaled(7),
        "class": lambda: module.Scaled,
        "function": lambda: module.helper,
        "in a container": lambda: [{"a": module.Scaled(7)}],
    }[what]()
    try:
        stored, _ = store(tmp_path, value)
    finally:
        del sys.modules["block_of_this_test"]
    call = {
        "instance": "value.scaled()",
        "class": "value(7).scaled()",
        "function": "value(7)",
        "in a container": "value[0]['a'].scaled()",
    }[what]
    file = tmp_path / "attempt" / stored.objects[0].key
    script = f"import pickle; value = pickle.load(open({str(file)!r}, 'rb')); print({call})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "70\n"


def test_classes_that_can_be_imported_are_stored_by_name(tmp_path: Path) -> None:
    """So that `isinstance` holds where they come back."""
    stored, source = store(tmp_path, [Fraction(1, 2), Record("a", 1)])
    assert b"fractions" in bytes(source.buffer(".pickle"))
    assert stored.objects[0].size < 200
    assert type(decode(stored, source)[1]) is Record


def test_local_functions_and_classes_are_stored_by_value(tmp_path: Path) -> None:
    """Lambdas and closures, too."""

    class Local:
        def __init__(self, factor: int) -> None:
            self.times = lambda value: value * factor

    assert there_and_back(tmp_path, Local(3)).times(5) == 15


def test_design_matrices_come_back_with_their_design(tmp_path: Path) -> None:
    """They refuse to be pickled; later cells build further matrices from the design."""
    patsy = pytest.importorskip("patsy")
    data = {"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 3.0], "kind": ["a", "b", "a"]}
    _, design = patsy.dmatrices("y ~ standardize(x) + C(kind)", data)
    again = there_and_back(tmp_path, design)
    assert type(again) is type(design)
    assert again.tolist() == design.tolist()
    assert again.design_info.column_names == design.design_info.column_names
    (built,) = patsy.build_design_matrices([again.design_info], data)
    assert built.tolist() == design.tolist()
    fitted = there_and_back(tmp_path / "fitted", np.linalg.lstsq(design, design, rcond=None)[0])
    assert type(fitted) is type(design)


def test_models_of_formulas_keep_their_design(tmp_path: Path) -> None:
    """Whoever reads one need not have the functions that its formula names."""
    formulas = pytest.importorskip("statsmodels.formula.api")

    def doubled(values: Any) -> Any:
        return 2 * values

    data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 5.0], "x": [0.0, 1.0, 3.0, 7.0]})
    fitted = formulas.ols("y ~ doubled(x)", data).fit()
    del doubled
    again = there_and_back(tmp_path, fitted)
    assert again.params.tolist() == fitted.params.tolist()
    assert again.predict(data[:2]).tolist() == pytest.approx(fitted.fittedvalues[:2].tolist())


def test_the_global_random_stream_stays_the_global_one(tmp_path: Path) -> None:
    """A distribution of scipy draws from it; what a block loads must follow the seed there."""
    stats = pytest.importorskip("scipy.stats")
    again = there_and_back(tmp_path / "frozen", stats.norm(3, 2))
    np.random.seed(5)
    drawn = again.rvs(3)
    np.random.seed(5)
    assert drawn.tolist() == (3 + 2 * np.random.standard_normal(3)).tolist()
    own = np.random.RandomState(1)
    assert there_and_back(tmp_path / "own", [own])[0].rand() == own.rand()


def test_archives_of_arrays_are_open_again(tmp_path: Path) -> None:
    """They read their file whenever they are asked."""
    np.savez(tmp_path / "two.npz", a=np.arange(3), b=np.eye(2))
    with np.load(tmp_path / "two.npz") as archive:
        again = there_and_back(tmp_path / "archive", archive)
        assert type(again) is type(archive)
    assert again.files == ["a", "b"]
    assert again["a"].tolist() == [0, 1, 2]


def test_workbooks_are_open_again(tmp_path: Path) -> None:
    """They read their file whenever they are asked."""
    pytest.importorskip("openpyxl")
    pd.DataFrame({"n": [1, 2]}).to_excel(tmp_path / "book.xlsx", index=False)
    with pd.ExcelFile(tmp_path / "book.xlsx") as workbook:
        reopened = there_and_back(tmp_path / "workbook", workbook)
        assert reopened.parse("Sheet1")["n"].tolist() == [1, 2]
        reopened.close()


def test_attributes_of_tables_are_kept(tmp_path: Path) -> None:
    """Formulas leave the design on a DataFrame; what pandas keeps there for itself is not one."""
    frame = pd.DataFrame({"name": ["a", "b"]})
    frame.name.str.upper()
    plain = there_and_back(tmp_path / "plain", frame)
    object.__setattr__(frame, "design", {"columns": 1})
    again = there_and_back(tmp_path / "frame", frame)
    assert again.design == {"columns": 1}
    assert again.equals(frame)
    assert not hasattr(plain, "design")
    series = frame["name"]
    object.__setattr__(series, "unit", "km")
    assert there_and_back(tmp_path / "series", [series])[0].unit == "km"


class ComesBackAsList:
    def __reduce__(self) -> tuple[Any, ...]:
        return (list, ())


class DoesNotComeBack:
    def __setstate__(self, state: Any) -> None:
        raise RuntimeError("no way back")

    def __getstate__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ComesBackAsList(), "ComesBackAsList was written, but a list came back"),
        (DoesNotComeBack(), "reading it back failed with RuntimeError: no way back"),
    ],
)
def test_what_does_not_come_back_is_not_stored(value: Any, text: str, tmp_path: Path) -> None:
    """Each pickle is read once when it is written, and taken away if that fails."""
    with pytest.raises(UnstorableError, match=text):
        store(tmp_path, value)
    assert list((tmp_path / "attempt" / "out").iterdir()) == []
