"""numpy arrays as npy files: the bytes of the array as they are, behind a readable header.

Exact by construction for every fixed-size dtype whose description in the header gives the same
dtype again. Object arrays, subclasses and dtypes npy cannot describe are left to pickle.
"""

from __future__ import annotations

import io
from typing import Any

from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink, Source
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["ARRAY"]

_PIECE = 4 * 1024 * 1024
"""Arrays that do not lie in one piece of memory are gathered in pieces of this size, in bytes."""


def _write(value: Any, sink: Sink) -> Encoded:
    import numpy as np

    if type(value) is not np.ndarray:
        raise NotExactError(f"a {type(value).__name__}")
    if not _has_exact_header(value.dtype):
        raise NotExactError(f"an array of {value.dtype}")
    with sink.file(".npy") as file:
        header = np.lib.format.header_data_from_array_1_0(value)
        np.lib.format.write_array_header_2_0(file, header)
        for piece in _pieces(value):
            file.write(piece)
    return Encoded("array", {"shape": list(value.shape)}, value.shape[0] if value.shape else None)


def _has_exact_header(dtype: Any) -> bool:
    import numpy as np

    if dtype.hasobject or dtype.metadata or not isinstance(dtype.str, str):
        return False
    try:
        description = np.lib.format.dtype_to_descr(dtype)
        repr(description).encode("latin-1")  # the header takes no other names of fields
        again = np.lib.format.descr_to_dtype(description)
    except (TypeError, ValueError, UserWarning):
        return False
    return bool(again == dtype and again.isalignedstruct == dtype.isalignedstruct)


def _pieces(array: Any) -> Any:
    """The bytes of an array, in the order its header says."""
    import numpy as np

    if array.size == 0 or array.itemsize == 0:
        return
    if array.flags.c_contiguous or array.flags.f_contiguous:
        flat = array if array.flags.c_contiguous else array.T
        yield flat.reshape(-1).view(np.uint8)
        return
    size = max(_PIECE // array.itemsize, 1)
    pieces: Any = np.nditer(array, flags=["external_loop", "buffered"], buffersize=size, order="C")
    for piece in pieces:
        yield np.ascontiguousarray(piece).view(np.uint8)


def _read(_stored: StoredOutput, source: Source) -> Any:
    import numpy as np

    data = source.buffer(".npy")
    head = io.BytesIO(bytes(data[: 16 + int.from_bytes(data[8:12], "little")]))
    np.lib.format.read_magic(head)
    shape, fortran, dtype = np.lib.format.read_array_header_2_0(head, max_header_size=1 << 24)
    order: Any = "F" if fortran else "C"
    if 0 in shape or dtype.itemsize == 0:
        return np.empty(shape, dtype, order=order)
    return np.ndarray(shape, dtype, buffer=data, offset=head.tell(), order=order)


ARRAY = Format("npy", _write, _read)
