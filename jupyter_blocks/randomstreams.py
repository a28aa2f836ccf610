"""The states of the global random streams, `random`, `numpy.random`, torch's, as plain JSON.

A notebook has one stream for all its cells; a pipeline has a process for each block. Where a
notebook seeds a stream, its state is carried from block to block like any other value. Of torch it
is the one of the processor; those of graphics cards are not carried.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__ = ["capture", "restore"]

Streams = Mapping[str, Any]
"""`random`, `numpy` and `torch` -> the state of that stream."""


def capture(before: Streams | None = None) -> dict[str, Any]:
    """The states as they are now; of a stream that nobody has imported, the one in `before`."""
    streams = dict(before or {})
    if "random" in sys.modules:
        streams["random"] = _python_state(sys.modules["random"])
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        streams["numpy"] = _encoded(numpy_random.get_state(legacy=False))
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        streams["torch"] = base64.b64encode(bytes(torch.get_rng_state().tolist())).decode()
    return streams


def restore(streams: Streams) -> None:
    """Let the streams go on where `capture` found them; imports the modules it needs."""
    if "random" in streams:
        version, words, gauss = streams["random"]
        state = array("I", base64.b64decode(words))
        import_module("random").setstate((version, tuple(state), gauss))
    if "numpy" in streams:
        import_module("numpy.random").set_state(_decoded(streams["numpy"]))
    if "torch" in streams:
        torch = import_module("torch")
        left = bytearray(base64.b64decode(streams["torch"]))
        torch.set_rng_state(torch.frombuffer(left, dtype=torch.uint8))


def _python_state(module: Any) -> list[Any]:
    version, words, gauss = module.getstate()
    return [version, base64.b64encode(array("I", words).tobytes()).decode(), gauss]


def _encoded(value: Any) -> Any:
    """A state of numpy, whose arrays are the only values that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _encoded(item) for name, item in value.items()}
    if hasattr(value, "tobytes"):
        return {"dtype": str(value.dtype), "base64": base64.b64encode(value.tobytes()).decode()}
    return value


def _decoded(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"dtype", "base64"}:
        numpy = import_module("numpy")
        return numpy.frombuffer(base64.b64decode(value["base64"]), value["dtype"]).copy()
    return {name: _decoded(item) for name, item in value.items()}
