"""The parts of an iterator as one table: their record batches, one after the other.

Only the files of those parts are opened that rows are asked of, and only a few at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, overload

from jupyter_blocks.variables.formats.base import Source
from jupyter_blocks.variables.formats.batches import Batches, Limits
from jupyter_blocks.variables.formats.parts import ARROW_FORMATS, Part, part_source, read_parts
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["PartBatches", "has_batches", "index_labels", "open_table"]

_MOST_OPEN = 8


def has_batches(stored: StoredOutput) -> bool:
    """Whether an output is a table in Arrow files: in one, or in one for each part."""
    is_table = stored.format in ARROW_FORMATS or bool(stored.meta.get("pages"))
    return is_table and bool(stored.objects)


def open_table(stored: StoredOutput, source: Source) -> tuple[StoredOutput, Batches | PartBatches]:
    """An output that `has_batches`, as if all of it were in one file, and its batches."""
    if stored.format in ARROW_FORMATS:
        return stored, Batches(source, stored.meta, stored.rows or 0)
    parts = read_parts(source)[: stored.meta["parts"]]
    first = parts[0].output
    whole = StoredOutput(
        stored.type, first.format, first.python_type, stored.rows, stored.objects, _meta(parts)
    )
    return whole, PartBatches(parts, source)


class PartBatches:
    """The batches of all parts; to be used like `Batches`."""

    def __init__(self, parts: Sequence[Part], source: Source) -> None:
        self._parts = parts
        self._source = source
        self._firsts = [0, *accumulate(len(part.batches) for part in parts)]
        """Number of the first batch of each part."""
        self._open: OrderedDict[int, Batches] = OrderedDict()
        self.starts: list[int] = [0, *accumulate(rows for part in parts for rows in part.batches)]
        """The first row of each batch, and the number of all rows."""
        self.schema: Any = self._batches(0).schema

    def __len__(self) -> int:
        return len(self.starts) - 1

    def read(self, number: int, positions: Sequence[int]) -> list[Any]:
        """Some columns of one batch, as Arrow Arrays in the order asked for."""
        part = bisect_right(self._firsts, number) - 1
        return self._batches(part).read(number - self._firsts[part], positions)

    def limits(self, _position: int) -> Limits | None:
        """None: they lie beside each part."""
        return None

    def _batches(self, part: int) -> Batches:
        if part in self._open:
            self._open.move_to_end(part)
            return self._open[part]
        output = self._parts[part].output
        source = part_source(self._parts[part], self._source)
        self._open[part] = found = Batches(source, output.meta, output.rows or 0)
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return found


def _meta(parts: Sequence[Part]) -> dict[str, Any]:
    """What the format of the parts would say of all their rows together."""
    meta = dict(parts[0].output.meta)
    index = meta.get("index")
    if isinstance(index, Mapping):
        index = {key: value for key, value in index.items() if key not in ("freq", "range")}
        ranges = [each.output.meta["index"].get("range") for each in parts]
        if ranges[0] is not None:
            index["ranges"] = _joined([range(*each) for each in ranges])
        meta["index"] = index
    return meta


def _joined(ranges: Sequence[range]) -> list[list[int]]:
    """Ranges that go on where the one before ends become one."""
    found: list[list[int]] = []
    for each in ranges:
        if found and found[-1][1:] == [each.start, each.step]:
            found[-1][1] = each.stop
        else:
            found.append([each.start, each.stop, each.step])
    return found


def index_labels(meta: Mapping[str, Any]) -> Sequence[int] | None:
    """The labels of an index that is no column of the file; none for other indexes."""
    index = meta.get("index")
    if not isinstance(index, Mapping):
        return None
    if "range" in index:
        return range(*index["range"])
    if "ranges" not in index:
        return None
    ranges = [range(*each) for each in index["ranges"]]
    return ranges[0] if len(ranges) == 1 else _Labels(ranges)


class _Labels(Sequence[int]):
    """Several ranges, one after the other."""

    def __init__(self, ranges: Sequence[range]) -> None:
        self._ranges = ranges
        self._starts = [0, *accumulate(map(len, ranges))]

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> list[int]: ...
    def __getitem__(self, key: int | slice) -> int | list[int]:
        if isinstance(key, slice):
            return [self[number] for number in range(*key.indices(len(self)))]
        at = bisect_right(self._starts, key) - 1
        return self._ranges[at][key - self._starts[at]]
