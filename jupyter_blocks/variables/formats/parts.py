"""Generators and iterators: what they yield is stored part by part, one in memory at a time.

Every part has a format of its own, as any value has; a JSON file says which. Where all parts are
tables of one shape, they can be looked at as one (`partbatches`). What is loaded yields the parts
again, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, cycle, pairwise, repeat
from types import GeneratorType
from typing import Any

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats.base import Encoded, Format, Sink, Source, type_name
from jupyter_blocks.variables.formats.batches import Batches
from jupyter_blocks.variables.manifest import (
    PARTS_FORMAT,
    StoredObject,
    StoredOutput,
    dump_json,
)

__all__ = [
    "ARROW_FORMATS",
    "Part",
    "StoredParts",
    "is_one_pass",
    "part_source",
    "parts_format",
    "read_parts",
]

ARROW_FORMATS = frozenset({"arrow", "pandas", "polars"})
"""Formats whose tables lie in Arrow files."""
_LIST = ".parts"
_OF_ONE_PART = frozenset({"batch_rows", "index", "runs"})
"""What is said of a table and may differ from part to part of one and the same."""
_MOST_PARTS = 10_000
_READERS = ("pandas.io.", "pyarrow.lib")
_ITERATOR_MODULES = frozenset({"builtins", "itertools"})

Encode = Callable[[Any, Sink], tuple[StoredOutput, Encoded]]
Decode = Callable[[StoredOutput, Source], Any]


@dataclass(frozen=True)
class Part:
    """One part of an iterator, as it is stored."""

    output: StoredOutput
    batches: tuple[int, ...] = ()
    """Rows of each record batch, where it is a table in an Arrow file."""


class StoredParts(Iterator[Any]):
    """Yields stored parts as the iterator did that they are from; also a context manager."""

    def __init__(self, parts: Generator[Any, None, Any]) -> None:
        self._parts = parts

    def __next__(self) -> Any:
        return next(self._parts)

    def __enter__(self) -> StoredParts:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def get_chunk(self) -> Any:
        """The next part, in the words of pandas' readers."""
        return next(self)

    def close(self) -> None:
        """Yield nothing more."""
        self._parts.close()


def is_one_pass(value: Any) -> bool:
    """Whether a value is a generator or another iterator that is used up by reading it.

    True for generators, for the iterators of Python itself, for those that were stored before, and
    for the readers of pandas and pyarrow that give a table in chunks.
    """
    if isinstance(value, Generator | StoredParts):
        return True
    if not isinstance(value, Iterator):
        return False
    module = type(value).__module__
    return module in _ITERATOR_MODULES or module.startswith(_READERS)


def parts_format(encode: Encode, decode: Decode) -> Format:
    """The format of iterators; `encode` and `decode` are asked for each part."""

    def write(value: Any, sink: Sink) -> Encoded:
        _refuse_endless(value, sink.name)
        try:
            return _write(value, sink, encode)
        except BaseException:
            sink.discard()
            raise

    def read(stored: StoredOutput, source: Source) -> Any:
        parts, number = read_parts(source), stored.meta["parts"]
        source.check_sizes()
        returned = parts[number] if stored.meta.get("returns") else None
        each = _each(parts[:number], returned, source, decode)
        return each if stored.meta["generator"] else StoredParts(each)

    return Format(PARTS_FORMAT, write, read)


def read_parts(source: Source) -> tuple[Part, ...]:
    """The parts of a stored iterator; the last one is what it returned, if it did."""
    document = json.loads(bytes(source.buffer(_LIST)))
    objects = iter([item for item in source.objects if not item.key.endswith(_LIST)])
    parts = []
    for number, rows, files, batches, value in document["parts"]:
        own = tuple(next(objects) for _ in range(files))
        kind = document["kinds"][number]
        parts.append(Part(_output(kind, rows, own, value), tuple(batches)))
    return tuple(parts)


def part_source(part: Part, source: Source) -> Source:
    """The files of one part of the value that `source` reads."""
    return Source(source.storage, source.prefix, part.output.objects, verify=source.verify)


def _write(value: Iterator[Any], sink: Sink, encode: Encode) -> Encoded:
    parts: list[Part] = []
    iterator = iter(value)
    returned = None
    while True:
        try:
            part = next(iterator)
        except StopIteration as end:
            returned = end.value
            break
        if len(parts) == _MOST_PARTS:
            raise _too_many(sink.name)
        parts.append(_write_part(part, sink, len(parts), encode))
        del part  # not to hold it while the next one is made
    meta: dict[str, Any] = {"parts": len(parts), "generator": isinstance(value, GeneratorType)}
    if _is_one_table(parts, sink):
        meta["pages"] = True
    if returned is not None:
        parts.append(_write_part(returned, sink, len(parts), encode))
        meta["returns"] = True
    _write_list(parts, sink)
    yielded = parts[: meta["parts"]]
    kind = yielded[0].output.type if "pages" in meta else "object"
    rows = sum(part.output.rows or 0 for part in yielded) if "pages" in meta else None
    return Encoded(kind, meta, rows, view=sink.source())


def _write_part(value: Any, sink: Sink, number: int, encode: Encode) -> Part:
    own = Sink(sink.storage, sink.prefix, f"{sink.name}.{number + 1:05d}")
    try:
        output, encoded = encode(value, own)
    except UnstorableError as error:
        raise _of_part(error, sink.name, number) from error
    finally:
        sink.objects += own.objects
    if output.format == "polars":  # as files of this machine alone do not say it
        dtypes = [str(dtype) for dtype in encoded.view.dtypes]
        output = replace(output, meta={**output.meta, "dtypes": dtypes})
    return Part(output, _batches_of(output, own.source()))


def _batches_of(output: StoredOutput, source: Source) -> tuple[int, ...]:
    if output.format not in ARROW_FORMATS or not output.objects:
        return ()
    starts = Batches(source, output.meta, output.rows or 0).starts
    return tuple(stop - start for start, stop in pairwise(starts))


def _is_one_table(parts: Sequence[Part], sink: Sink) -> bool:
    """Whether the parts are tables in Arrow files that can be shown one below the other."""
    shape = None
    for part in parts:
        output = part.output
        if output.format not in ARROW_FORMATS or not output.objects or not part.batches:
            return False
        source = Source(sink.storage, sink.prefix, output.objects, verify=False)
        mine = _shape(output, Batches(source, output.meta, output.rows or 0).schema)
        if shape is not None and mine != shape:
            return False
        shape = mine
    return shape is not None


def _shape(output: StoredOutput, schema: Any) -> list[Any]:
    meta = {key: value for key, value in output.meta.items() if key not in _OF_ONE_PART}
    index = dict(output.meta.get("index", {}))
    if "range" in index:
        index["range"] = []
    index.pop("freq", None)
    fields = [(field.name, str(field.type)) for field in schema]
    return [output.type, output.format, output.python_type, meta, index, fields]


def _write_list(parts: Sequence[Part], sink: Sink) -> None:
    kinds: dict[bytes, int] = {}
    entries = []
    for part in parts:
        output = part.output
        kind = {**output.as_json(), "rows": None}
        kind.pop("objects", None)
        kind.pop("value", None)
        number = kinds.setdefault(dump_json(kind), len(kinds))
        files = len(output.objects)
        entries.append([number, output.rows, files, part.batches, output.value])
    with sink.file(_LIST) as file:
        file.write(dump_json({"kinds": [json.loads(kind) for kind in kinds], "parts": entries}))


def _output(
    kind: Mapping[str, Any], rows: int | None, objects: tuple[StoredObject, ...], value: Any
) -> StoredOutput:
    plain = StoredOutput.from_json({**kind, "rows": rows, "value": value})
    return StoredOutput(**{**plain.__dict__, "objects": objects})


def _each(
    parts: Sequence[Part], returned: Part | None, source: Source, decode: Decode
) -> Generator[Any, None, Any]:
    for part in parts:
        yield decode(part.output, part_source(part, source))
    return None if returned is None else decode(returned.output, part_source(returned, source))


def _refuse_endless(value: Any, name: str) -> None:
    is_endless = isinstance(value, (count, cycle))
    if isinstance(value, repeat):
        try:
            value.__length_hint__()
        except TypeError:
            is_endless = True
    if is_endless:
        raise UnstorableError(
            f"output '{name}' cannot be stored: it is an iterator of type {type_name(type(value))} "
            "that never ends.",
            hint="Create it inside the block that uses it.",
        )


def _too_many(name: str) -> UnstorableError:
    return UnstorableError(
        f"output '{name}' cannot be stored: it yields more than {_MOST_PARTS:,} parts.",
        hint="Yield larger parts, or create it inside the block that uses it.",
    )


def _of_part(error: UnstorableError, name: str, number: int) -> UnstorableError:
    own, said = f"output '{name}.{number + 1:05d}'", f"part {number + 1} of output '{name}'"
    text = str(error).removesuffix(error.hint).rstrip().replace(own, said)
    return UnstorableError(text, hint=error.hint)
