"""Values of all other kinds come back exactly, in files that others can read where there are any."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import functools
import pickle
import subprocess
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import UnstorableError, VariableError
from jupyter_blocks.variables.formats import decode, register_format, registry
from jupyter_blocks.variables.manifest import StoredOutput
from tests.variables.same import assert_same, assert_same_plain
from tests.variables.stored import store, there_and_back


@dataclasses.dataclass
class Record:
    name: str
    values: Any


class Colour(enum.Enum):
    RED = "red"


Case = Callable[[], Any]

PLAIN: dict[str, tuple[Any, str]] = {
    "None": (None, "json"),
    "bool": (True, "json"),
    "int": (7, "json"),
    "numpy scalar": (np.float64(1.5), "json"),
    "list": ([1, (2, {3})], "json"),
    "dict": ({"a": dt.date(2020, 1, 1)}, "json"),
    "text": ("some\r\ntext ö", "text"),
    "half a surrogate pair": ("\ud800", "text"),
    "bytes": (b"\0\xff", "bytes"),
    "bytearray": (bytearray(b"ab"), "bytes"),
}


@pytest.mark.parametrize("case", PLAIN)
def test_small_plain_values_need_no_file(case: str, tmp_path: Path) -> None:
    """The manifest holds them."""
    value, kind = PLAIN[case]
    stored, source = store(tmp_path, value)
    assert (stored.type, stored.objects) == (kind, ())
    assert_same_plain(value, decode(stored, source))
    assert not tmp_path.exists() or not list(tmp_path.iterdir())


LARGE: dict[str, tuple[Any, str]] = {
    "list": ([{"n": number, "t": "x" * 10} for number in range(1000)], ".json"),
    "tuples": ([(number, float("nan")) for number in range(1000)], ".json"),
    "text": ("line ö\n" * 1000, ".txt"),
    "text with half a pair": ("\ud800" * 5000, ".txt"),
    "bytes": (bytes(range(256)) * 20, ".bin"),
    "bytearray": (bytearray(range(256)) * 20, ".bin"),
    "bytes that are mapped": (bytes(300_000), ".bin"),
}


@pytest.mark.parametrize("case", LARGE)
def test_larger_plain_values_have_a_file(case: str, tmp_path: Path) -> None:
    """One that any program can read."""
    value, suffix = LARGE[case]
    stored, source = store(tmp_path, value)
    assert [item.key for item in stored.objects] == [f"out/out{suffix}"]
    assert_same_plain(value, decode(stored, source))


ARRAYS: dict[str, Case] = {
    "one axis": lambda: np.arange(5),
    "three axes": lambda: np.arange(24.0).reshape(2, 3, 4),
    "no axis": lambda: np.array(3.5),
    "empty": lambda: np.zeros((0, 3), "i2"),
    "Fortran order": lambda: np.asfortranarray(np.arange(12).reshape(3, 4)),
    "every second": lambda: np.arange(3_000_000.0)[::2],
    "backwards": lambda: np.arange(10)[::-1],
    "part": lambda: np.arange(12).reshape(3, 4)[:, 1:3],
    "axes exchanged": lambda: np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "other byte order": lambda: np.arange(3, dtype=">i4"),
    "half, double, long double": lambda: np.zeros(2, [("h", "f2"), ("d", "f8"), ("g", "g")]),
    "complex": lambda: np.array([1 + 2j]),
    "bool": lambda: np.array([True, False]),
    "NaN, infinity, -0.0": lambda: np.array([np.nan, np.inf, -0.0]),
    "strings": lambda: np.array(["a", "bcd", ""]),
    "bytes": lambda: np.array([b"a", b"bcd"]),
    "raw": lambda: np.array([b"12345"], "V5"),
    "times": lambda: np.array(["2020-01-01", "NaT"], "M8[D]"),
    "durations": lambda: np.array([1, "NaT"], "m8[25s]"),
    "structure": lambda: np.array([(1, 2.5, "x")], [("a", "i4"), ("b", "f8"), ("c", "U3")]),
    "structure in a structure": lambda: np.zeros(2, [("p", [("x", "f4", (2, 2))]), ("q", "i1")]),
    "structure with gaps": lambda: np.zeros(
        2, np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 12})
    ),
    "mapped": lambda: np.arange(1_000_000.0).reshape(1000, 1000),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_are_npy_files(case: str, tmp_path: Path) -> None:
    """Numpy reads them without us; here they come back writable."""
    array = ARRAYS[case]()
    stored, source = store(tmp_path, array)
    again = decode(stored, source)
    assert_same(array, again)
    assert again.flags.writeable
    assert again.flags.f_contiguous == array.flags.f_contiguous or not array.flags.forc
    assert (stored.format, stored.type) == ("npy", "array")
    assert_same(array, np.load(tmp_path / "attempt" / stored.objects[0].key))


ODD_ARRAYS: dict[str, Case] = {
    "objects": lambda: np.array([1, "a", None, [2]], object),
    "objects in a structure": lambda: np.array([(1, "x")], [("a", "i4"), ("b", "O")]),
    "aligned structure": lambda: np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "matrix of records": lambda: np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "dtype with metadata": lambda: np.zeros(1, np.dtype("i4", metadata={"unit": "m"})),
}


@pytest.mark.parametrize("case", ODD_ARRAYS)
def test_arrays_that_npy_would_change_are_pickled(case: str, tmp_path: Path) -> None:
    """Class, mask, alignment and all."""
    array = ODD_ARRAYS[case]()
    stored, source = store(tmp_path, array)
    again = decode(stored, source)
    assert (stored.format, stored.type) == ("pickle", "array")
    assert type(again) is type(array)
    assert again.dtype == array.dtype
    assert again.dtype.isalignedstruct == array.dtype.isalignedstruct
    assert again.dtype.metadata == array.dtype.metadata
    assert again.tolist() == array.tolist()


def test_an_array_that_is_changed_changes_for_nobody_else(tmp_path: Path) -> None:
    """Neither for another reader nor in the file, though both map the same one."""
    stored, source = store(tmp_path, np.zeros(100_000))
    mine, other = decode(stored, source), decode(stored, source)
    mine += 1
    assert mine.sum() == 100_000
    assert other.sum() == decode(stored, source).sum() == 0


ARROW: dict[str, Case] = {
    "table": lambda: pa.table({"a": [1, None], "s": ["x", "y"], "l": [[1], []]}),
    "table with metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "table of chunks": lambda: pa.concat_tables([pa.table({"a": [n]}) for n in range(3)]),
    "table without rows": lambda: pa.table({"a": pa.array([], pa.int8())}),
    "field that is not nullable": lambda: pa.Table.from_arrays(
        [pa.array([1])], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])
    ),
    "twice one name": lambda: pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
    "decimals, times, dictionary": lambda: pa.table(
        {
            "d": pa.array([decimal.Decimal("1.10")]),
            "t": pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
            "c": pa.array(["x"]).dictionary_encode(),
        }
    ),
    "slice": lambda: pa.table({"a": list(range(100)), "s": [str(n) for n in range(100)]})[50:60],
    "record batch": lambda: pa.record_batch({"a": [1, 2]}),
    "record batch without rows": lambda: pa.record_batch({"a": pa.array([], pa.string())}),
    "array": lambda: pa.array([1.5, None]),
    "empty array": lambda: pa.array([], pa.string()),
    "chunked array": lambda: pa.chunked_array([[1], [2, 3]]),
}


@pytest.mark.parametrize("case", ARROW)
def test_arrow_tables_are_arrow_files(case: str, tmp_path: Path) -> None:
    """With schema, metadata and nulls; pyarrow reads them without us."""
    value = ARROW[case]()
    stored, source = store(tmp_path, value)
    again = decode(stored, source)
    assert type(again) is type(value)
    assert again.equals(value)
    if isinstance(value, (pa.Table, pa.RecordBatch)):
        assert again.schema.equals(value.schema, check_metadata=True)
        with pa.memory_map(str(tmp_path / "attempt" / stored.objects[0].key)) as file:
            assert pa.ipc.open_file(file).read_all().num_rows == value.num_rows
    assert stored.format == "arrow"


ODD_ARROW: dict[str, Case] = {
    "no columns": lambda: pa.table({"a": [1, 2]}).select([]),
    "chunks with dictionaries of their own": lambda: pa.table(
        {
            "a": pa.chunked_array(
                [pa.array(["x"]).dictionary_encode(), pa.array(["y"]).dictionary_encode()]
            )
        }
    ),
    "scalar": lambda: pa.scalar(5),
    "schema": lambda: pa.schema([("a", pa.int8())]),
}


@pytest.mark.parametrize("case", ODD_ARROW)
def test_arrow_values_that_files_would_change_are_pickled(case: str, tmp_path: Path) -> None:
    """They come back equal all the same."""
    value = ODD_ARROW[case]()
    stored, source = store(tmp_path, value)
    assert stored.format == "pickle"
    again = decode(stored, source)
    assert again.equals(value)
    if case == "no columns":
        assert again.num_rows == 2


def _polars() -> dict[str, Any]:
    pl = pytest.importorskip("polars")
    return {
        "frame": pl.DataFrame(
            {
                "i": [1, None],
                "s": ["x", None],
                "l": [[1], []],
                "st": [{"a": 1}, {"a": None}],
                "d": [decimal.Decimal("1.10"), None],
                "t": [dt.time(1), None],
                "z": pl.Series([dt.datetime(2020, 1, 1)] * 2).dt.replace_time_zone("Europe/Berlin"),
                "c": pl.Series(["x", "y"], dtype=pl.Categorical),
                "e": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x"])),
                "a": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int8, 2)),
                "n": [None, None],
            }
        ),
        "no rows": pl.DataFrame({"a": pl.Series([], dtype=pl.Int8)}),
        "series": pl.Series("x", [1.5, None]),
        "chunks": pl.concat([pl.DataFrame({"a": [n]}) for n in range(3)], rechunk=False),
    }


@pytest.mark.parametrize("case", ["frame", "no rows", "series", "chunks"])
def test_polars_tables_are_arrow_files(case: str, tmp_path: Path) -> None:
    """With all their dtypes."""
    value = _polars()[case]
    stored, source = store(tmp_path, value)
    again = decode(stored, source)
    assert type(again) is type(value)
    assert again.equals(value)
    assert stored.format == "polars"
    if case != "series":
        assert again.schema == value.schema


def test_a_polars_frame_that_is_changed_changes_for_nobody_else(tmp_path: Path) -> None:
    """It may be mapped; its cells can be set all the same."""
    pl = pytest.importorskip("polars")
    stored, source = store(tmp_path, pl.DataFrame({"a": range(100_000)}))
    mine = decode(stored, source)
    mine[0, "a"] = 99
    assert (mine[0, "a"], decode(stored, source)[0, "a"]) == (99, 0)


OBJECTS: dict[str, Case] = {
    "dataclass": lambda: Record("a", [1, 2]),
    "enum": lambda: Colour.RED,
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


def test_models_come_back_fitted(tmp_path: Path) -> None:
    """And are called models."""
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    stored, source = store(tmp_path, model)
    assert stored.type == "model"
    assert decode(stored, source).predict([[10.0]]) == model.predict([[10.0]])


def test_sparse_matrices_come_back(tmp_path: Path) -> None:
    """Entry by entry."""
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.random(50, 40, density=0.1, format="csr", rng=np.random.default_rng(1))
    again = there_and_back(tmp_path, matrix)
    assert type(again) is type(matrix)
    assert (again != matrix).nnz == 0


@pytest.fixture
def pyplot() -> Iterator[Any]:
    """Matplotlib without a window."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.mark.parametrize("what", ["figure", "axes"])
def test_figures_come_back_with_a_picture(what: str, pyplot: Any, tmp_path: Path) -> None:
    """They can be drawn on; pyplot's own figures and the current one are what they were."""
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 4], label="prices")
    stored, source = store(tmp_path, figure if what == "figure" else axes)
    again = decode(stored, source)
    again = again if what == "figure" else again.figure
    assert again.axes[0].lines[0].get_label() == "prices"
    again.axes[0].plot([3, 3])
    assert (pyplot.get_fignums(), pyplot.gcf()) == ([1], figure)
    assert stored.type == "figure"
    picture = tmp_path / "attempt" / stored.objects[-1].key
    assert picture.suffix == ".png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_figures_inside_objects_do_not_become_current(pyplot: Any, tmp_path: Path) -> None:
    """Nor does one with a local function in it, which cloudpickle has to store."""
    figure, axes = pyplot.subplots()
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value} EUR")
    again = there_and_back(tmp_path, {"figure": figure})
    assert len(again["figure"].axes) == 1
    there_and_back(tmp_path / "alone", figure)
    assert (pyplot.get_fignums(), pyplot.gcf()) == ([1], figure)


def test_a_figure_that_cannot_be_drawn_is_stored_without_a_picture(
    pyplot: Any, tmp_path: Path
) -> None:
    """Half a picture is taken away again."""
    figure, axes = pyplot.subplots()
    axes.set_title("$\\nosuchcommand$")
    stored, source = store(tmp_path, figure)
    assert [Path(item.key).suffix for item in stored.objects] == [".pickle"]
    assert decode(stored, source).axes[0].get_title() == "$\\nosuchcommand$"


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


class Temperature:
    """A class of another package, with a format of its own."""

    def __init__(self, celsius: float) -> None:
        self.celsius = celsius


class Unit(Temperature):
    """A subclass the format does not know."""


@pytest.fixture
def temperatures() -> Iterator[None]:
    """The few lines it takes to register a format."""

    def write(value: Temperature, file: BinaryIO) -> None:
        file.write(str(value.celsius).encode())

    def read(file: BinaryIO) -> Temperature:
        return Temperature(float(file.read()))

    register_format(
        "tests.temperature",
        Temperature,
        write=write,
        read=read,
        suffix=".celsius",
        preview=lambda value: {"celsius": value.celsius},
    )
    yield
    registry._registered.clear()
    registry._FORMATS.pop("tests.temperature")


@pytest.mark.usefixtures("temperatures")
def test_packages_register_formats_of_their_own(tmp_path: Path) -> None:
    """Files hold what they wrote."""
    stored, source = store(tmp_path, Temperature(21.5))
    assert stored.format == "tests.temperature"
    assert (tmp_path / "attempt" / stored.objects[0].key).read_text() == "21.5"
    assert decode(stored, source).celsius == 21.5


@pytest.mark.usefixtures("temperatures")
def test_a_registered_format_that_changes_the_class_is_passed_over(tmp_path: Path) -> None:
    """A subclass would come back as its base; it is pickled, and no file is left behind."""
    stored, source = store(tmp_path, Unit(3))
    assert stored.format == "pickle"
    assert type(decode(stored, source)) is Unit
    assert [path.name for path in (tmp_path / "attempt" / "out").iterdir()] == ["out.pickle"]


def test_names_of_built_in_formats_are_taken() -> None:
    """Their values could not be read any more."""
    with pytest.raises(VariableError, match="'json' is built in"):
        register_format("json", "x.Y", write=pickle.dump, read=pickle.load)


def test_a_reader_imports_the_package_that_registered_the_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a process that never heard of it reads the value."""
    (tmp_path / "my_package.py").write_text(
        "from jupyter_blocks.variables.formats import register_format\n"
        "class Thing:\n"
        "    pass\n"
        "def write(value, file): file.write(b'thing')\n"
        "def read(file): return Thing()\n"
        "register_format('my_package.thing', 'my_package.Thing', write=write, read=read)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import my_package  # type: ignore[import-not-found]

    stored, source = store(tmp_path / "store", my_package.Thing())
    registry._registered.clear()
    registry._FORMATS.pop("my_package.thing")
    del sys.modules["my_package"]
    assert type(decode(stored, source)).__name__ == "Thing"
    registry._registered.clear()
    registry._FORMATS.pop("my_package.thing")


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({}, "unknown format 'x.y'. Known formats: arrow, bytes"),
        ({"module": "no_such_module"}, "module 'no_such_module' cannot be imported.*Install"),
    ],
)
def test_a_format_nobody_knows_is_explained(meta: dict[str, str], text: str) -> None:
    """With what to install or to import."""
    with pytest.raises(VariableError, match=text):
        decode(StoredOutput("object", "x.y", "x.Y", meta=meta), None)  # type: ignore[arg-type]


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
