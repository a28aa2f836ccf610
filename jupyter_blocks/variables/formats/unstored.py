"""What is kept of an output that nobody reads and that cannot be stored: what it was, and why not.

The block has done its work, so that it does not fail for it. Whoever asks for the value later is
told the reason.
"""

from __future__ import annotations

import re
from typing import Any

from jupyter_blocks.errors import UnstorableError, VariableError
from jupyter_blocks.variables.cells import short_repr
from jupyter_blocks.variables.formats.base import (
    Encoded,
    Format,
    NotExactError,
    Sink,
    Source,
    type_name,
)
from jupyter_blocks.variables.manifest import UNSTORED_FORMAT, StoredOutput

__all__ = ["UNSTORED", "describe_unstored"]

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
"""Another one in each process: what is kept must not differ from run to run."""
_LONGEST_REPR = 500


def describe_unstored(value: Any, name: str, error: UnstorableError) -> StoredOutput:
    """The entry that stands for the output `name`, which `error` says cannot be stored."""
    text = str(error).removesuffix(error.hint).rstrip()
    _, told, reason = text.partition(f"output '{name}' cannot be stored: ")
    why = reason if told else text
    kept = {"name": name, "repr": _repr(value), "why": why, "remedy": error.hint}
    return StoredOutput(
        type="not stored",
        format=UNSTORED_FORMAT,
        python_type=type_name(type(value)),
        value={key: _ADDRESS.sub("0x...", text) for key, text in kept.items()},
    )


def _repr(value: Any) -> str:
    try:
        return short_repr(value)[:_LONGEST_REPR]
    except Exception:  # the class of the value decides what its repr raises
        return f"<{type_name(type(value))}>"


def _write(_value: Any, _sink: Sink) -> Encoded:
    raise NotExactError("nothing is stored in this format")


def _read(stored: StoredOutput, _source: Source) -> Any:
    raise VariableError(f"Output '{stored.value['name']}' was not stored: {stored.why_not_stored}")


UNSTORED = Format(UNSTORED_FORMAT, _write, _read)
