"""Values that are written, before their manifest is."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blocks.errors import CorruptVariableError
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.variables.unsealed import Unsealed

LARGE = np.arange(1_000_000.0)
ABOUT = {"pipeline": "pipe", "run_id": "run", "block": "load", "attempt_id": "a1"}


def put(root: Path, **outputs: Any) -> tuple[VariableStore, Unsealed]:
    store = VariableStore(root)
    return store, store.put(store.prefix(**ABOUT), outputs, ABOUT)


def test_what_is_written_can_be_loaded_before_it_is_sealed(tmp_path: Path) -> None:
    """The next block need not wait for digests."""
    store, unsealed = put(tmp_path, values=LARGE, small=1)
    assert unsealed.manifest.digest == ""
    again = store.load(unsealed.manifest, "values", verify=False)
    assert (again == LARGE).all()
    again[0] = 7.0
    assert store.load(unsealed.manifest, "values", verify=False)[0] == 0.0


def test_sealing_hashes_the_files_as_they_are(tmp_path: Path) -> None:
    """What was done to the value in memory since then does not matter."""
    values = LARGE.copy()
    store, unsealed = put(tmp_path, values=values)
    values[:] = 7.0
    inputs = [{"block": "above"}]
    manifest = unsealed.seal(inputs, {"code": "1"})
    assert (list(manifest.inputs), manifest.fingerprint) == (inputs, {"code": "1"})
    (item,) = manifest.outputs["values"].objects
    path = store.storage.path(f"{manifest.prefix}/{item.key}")
    assert path is not None
    assert item.sha256 == sha256(path.read_bytes()).hexdigest()
    store.commit(manifest)
    assert store.verify() == []
    assert (store.load(manifest, "values") == LARGE).all()


def test_a_file_that_is_cut_off_before_sealing_is_found_out(tmp_path: Path) -> None:
    """It gets no manifest."""
    store, unsealed = put(tmp_path, values=LARGE)
    (item,) = unsealed.manifest.outputs["values"].objects
    path = store.storage.path(f"{unsealed.manifest.prefix}/{item.key}")
    assert path is not None
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(CorruptVariableError, match="was changed while it was stored"):
        unsealed.seal()
    assert store.runs("pipe") == ["run"]
    assert store.committed("pipe", "run", "load") is None


@pytest.mark.parametrize(
    ("outputs", "is_large"),
    [
        ({"values": LARGE}, True),
        ({"values": LARGE, "number": 1}, True),
        ({"number": 1}, False),
        ({"values": LARGE, "things": [object, *range(100_000)]}, False),
    ],
)
def test_only_tables_and_arrays_are_left_to_a_thread(
    tmp_path: Path, outputs: dict[str, Any], is_large: bool
) -> None:
    """To look at anything else runs code of who knows whom."""
    _, unsealed = put(tmp_path, **outputs)
    assert (unsealed.large_bytes >= LARGE.nbytes) is is_large
