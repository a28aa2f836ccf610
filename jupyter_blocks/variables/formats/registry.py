"""The table of formats: which ones can hold a value, in which order they are asked.

`encode` writes a value with the first format that keeps it exactly; `decode` reads it back in any
process. Packages add a format of their own with `register_format`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from jupyter_blocks.errors import UnstorableError, VariableError
from jupyter_blocks.variables.formats import typed_json
from jupyter_blocks.variables.formats.arrays import ARRAY
from jupyter_blocks.variables.formats.arrow import POLARS, PYARROW
from jupyter_blocks.variables.formats.base import (
    Encoded,
    Format,
    NotExactError,
    Sink,
    Source,
    type_name,
)
from jupyter_blocks.variables.formats.figures import FIGURE, is_figure
from jupyter_blocks.variables.formats.objects import OBJECT
from jupyter_blocks.variables.formats.parts import is_one_pass, parts_format
from jupyter_blocks.variables.formats.pickled_tables import PICKLED_PANDAS, PICKLED_POLARS
from jupyter_blocks.variables.formats.plain import BYTES, JSON, TEXT
from jupyter_blocks.variables.formats.tables import PANDAS
from jupyter_blocks.variables.formats.unstored import UNSTORED
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["decode", "encode", "register_format", "registered_preview"]

_FORMATS: dict[str, Format] = {
    item.name: item
    for item in (ARRAY, BYTES, JSON, OBJECT, PANDAS, POLARS, PYARROW, TEXT, UNSTORED)
}

_FAMILIES: Mapping[str, tuple[Format, ...]] = {
    "numpy": (ARRAY,),
    "pandas": (PANDAS, PICKLED_PANDAS),
    "polars": (POLARS, PICKLED_POLARS),
    "pyarrow": (PYARROW,),
}
"""By the package that made the class, so that nothing is imported to find out."""

_registered: dict[str, Format] = {}
"""Formats of other packages, by the name of the class they are for."""


def register_format(
    name: str,
    types: type | str | Iterable[type | str],
    *,
    write: Callable[[Any, BinaryIO], None],
    read: Callable[[BinaryIO], Any],
    suffix: str = ".bin",
    kind: str = "object",
    preview: Callable[[Any], Mapping[str, Any]] | None = None,
) -> None:
    """Store values of some classes, and of their subclasses, in a format of your own.

    Call it where your package is imported: a process that reads such a value imports the module
    that `write` is defined in. Registering a name again replaces it.

    Args:
        name: Name of the format, such as `mypackage.model`; it is kept with each value.
        types: The classes, or their names (`mypackage.Model`) to spare the import.
        write: Writes a value to a binary stream.
        read: Makes an equal value from a binary stream. Each value is read back once when it is
            stored; if its class is another then, it is pickled instead.
        suffix: Ending of the file's name.
        kind: What previews call it, such as `model`.
        preview: JSON-safe entries to show of a value.
    """
    if name in _FORMATS and name not in {item.name for item in _registered.values()}:
        raise VariableError(f"The format '{name}' is built in; choose another name.")
    item = _single_file(name, write, read, suffix, kind, preview)
    _FORMATS[name] = item
    for cls in (types,) if isinstance(types, (type, str)) else types:
        _registered[cls if isinstance(cls, str) else type_name(cls)] = item


def _single_file(name: str, write: Any, read: Any, suffix: str, kind: str, preview: Any) -> Format:
    def write_file(value: Any, sink: Sink) -> Encoded:
        with sink.file(suffix) as file:
            write(value, file)
        with sink.source().stream(suffix) as file:
            again = read(file)
        if type(again) is not type(value):
            raise NotExactError(f"a {type_name(type(again))} came back")
        return Encoded(kind, {"module": write.__module__, "suffix": suffix})

    def read_file(stored: StoredOutput, source: Source) -> Any:
        with source.stream(stored.meta["suffix"]) as file:
            return read(file)

    return Format(name, write_file, read_file, preview)


def encode(value: Any, sink: Sink, *, uses_up: bool = False) -> tuple[StoredOutput, Encoded]:
    """Write a value; what the manifest says of it, and what its format said.

    `uses_up` allows to read a generator or another iterator to its end, so that its parts can be
    stored; without it they are refused. Raises `UnstorableError`, naming the member to blame, if no
    format can hold the value.
    """
    reasons = []
    for item in (_PARTS,) if uses_up and is_one_pass(value) else _candidates(value):
        try:
            encoded = item.write(value, sink)
        except NotExactError as error:
            sink.discard()
            reasons.append(f"{item.name}: {error}")
            continue
        return _stored(value, item, encoded, sink), encoded
    raise UnstorableError(f"output '{sink.name}' cannot be stored: {'; '.join(reasons)}.")


def _stored(value: Any, item: Format, encoded: Encoded, sink: Sink) -> StoredOutput:
    return StoredOutput(
        type=encoded.type,
        format=item.name,
        python_type=type_name(type(value)),
        rows=encoded.rows,
        objects=tuple(sink.objects),
        meta=encoded.meta,
        value=encoded.value,
    )


def _candidates(value: Any) -> tuple[Format, ...]:
    kind = type(value)
    if kind is str:
        return (TEXT,)
    if kind is bytes or kind is bytearray:
        return (BYTES,)
    own = _registered_for(kind)
    if own is not None:
        return (own, *_built_in(kind))
    return _built_in(kind)


def _built_in(kind: type) -> tuple[Format, ...]:
    if typed_json.is_plain_type(kind):
        return (JSON, OBJECT)
    if is_figure(kind):
        return (FIGURE, OBJECT)
    for base in kind.__mro__:
        family = _FAMILIES.get(base.__module__.partition(".")[0])
        if family is not None:
            return (*family, OBJECT)
    return (OBJECT,)


def _registered_for(kind: type) -> Format | None:
    if _registered:
        for base in kind.__mro__:
            if type_name(base) in _registered:
                return _registered[type_name(base)]
    return None


def decode(stored: StoredOutput, source: Source) -> Any:
    """The value that was written: a new one, private and writable."""
    return _format_of(stored).read(stored, source)


def registered_preview(stored: StoredOutput) -> Callable[[Any], Mapping[str, Any]] | None:
    """The `preview` that was registered with the format of a value."""
    return _FORMATS[stored.format].preview if stored.format in _FORMATS else None


_PARTS = parts_format(encode, decode)
_FORMATS[_PARTS.name] = _PARTS


def _format_of(stored: StoredOutput) -> Format:
    if stored.format not in _FORMATS and (module := stored.meta.get("module")):
        # The package that registered it does so when it is imported.
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise VariableError(
                f"A value of type {stored.python_type} is stored in the format "
                f"'{stored.format}', but its module '{module}' cannot be imported: {error}.",
                hint="Install the package that holds it.",
            ) from error
    if stored.format in _FORMATS:
        return _FORMATS[stored.format]
    raise VariableError(
        f"A value of type {stored.python_type} is stored in the unknown format "
        f"'{stored.format}'. Known formats: {', '.join(sorted(_FORMATS))}.",
        hint="Import the package that registers it, or update Jupyter Blocks.",
    )
