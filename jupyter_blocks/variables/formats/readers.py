"""Objects that read a file whenever they are asked, such as archives of arrays and workbooks.

They hold an open file, which no other process has. What is stored is how to open it again: of an
archive its bytes, since it is small and lazy; of a workbook its path.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

__all__ = ["reader_reducers"]


def reader_reducers() -> dict[type, Any]:
    """How to pickle `NpzFile` and `ExcelFile`; those of packages that somebody has imported."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    found: dict[type, Any] = {}
    # Without its `lib` a package is only half imported, or not the one that is meant.
    if numpy is not None and hasattr(numpy, "lib") and hasattr(numpy.lib, "npyio"):
        found[numpy.lib.npyio.NpzFile] = _reduce_archive
    if pandas is not None and hasattr(pandas, "ExcelFile"):
        found[pandas.ExcelFile] = _reduce_workbook
    return found


def _reduce_archive(archive: Any) -> Any:
    file = archive.zip.fp
    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    return _open_archive, (data, bool(archive.allow_pickle))


def _open_archive(data: bytes, allow_pickle: bool) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=allow_pickle)


def _reduce_workbook(workbook: Any) -> Any:
    if not isinstance(workbook.io, (str, os.PathLike)):
        return workbook.__reduce_ex__(5)
    return _open_workbook, (os.fspath(workbook.io), workbook.engine)


def _open_workbook(path: str, engine: Any) -> Any:
    import pandas as pd

    return pd.ExcelFile(path, engine=engine)
