"""How values become files and come back: exactly, in open formats where one is exact.

| value | format |
|---|---|
| plain data, numpy scalars | typed JSON (`plain`), in the manifest itself while it is small |
| text, bytes | UTF-8, the bytes as they are |
| pandas, polars and Arrow tables | Arrow IPC (`tables`, `columns`, `arrow`) |
| numpy arrays | npy (`arrays`) |
| figures | pickle and PNG (`figures`) |
| all else, and all that would not come back exactly | pickle 5 (`objects`, `pickled_tables`) |
"""

from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink, Source
from jupyter_blocks.variables.formats.memories import array_reducers
from jupyter_blocks.variables.formats.registry import (
    decode,
    encode,
    register_format,
    registered_preview,
)
from jupyter_blocks.variables.formats.sharing import share, shareable
from jupyter_blocks.variables.formats.together import (
    TOGETHER_FORMAT,
    read_together,
    write_together,
)
from jupyter_blocks.variables.formats.unstored import describe_unstored

__all__ = [
    "TOGETHER_FORMAT",
    "Encoded",
    "Format",
    "NotExactError",
    "Sink",
    "Source",
    "array_reducers",
    "decode",
    "describe_unstored",
    "encode",
    "read_together",
    "register_format",
    "registered_preview",
    "share",
    "shareable",
    "write_together",
]
