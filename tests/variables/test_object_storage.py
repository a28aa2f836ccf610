"""What is special about object storage: answers that get lost, throttling, and errors in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import CorruptVariableError, VariableError, VariableNotFoundError
from jupyter_blocks.variables import buckets
from jupyter_blocks.variables.formats import Sink, Source
from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import AlreadyExistsError, Storage
from jupyter_blocks.variables.store import VariableStore
from tests.fakegcs import FakeGcs, Fault
from tests.places import BUCKET, Servers, use
from tests.variables.stored import commit


@pytest.fixture
def gcs(services: Servers, monkeypatch: pytest.MonkeyPatch) -> FakeGcs:
    use("gs", "", services, monkeypatch)
    return services.gcs()


@pytest.fixture
def storage(gcs: FakeGcs, tmp_path: Path) -> Storage:
    return open_storage(f"gs://{BUCKET}/{tmp_path.name}")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(status: int, gcs: FakeGcs, storage: Storage) -> None:
    """A few times, with growing pauses; nobody hears of it."""
    gcs.faults[:] = [Fault(method, status, 2) for method in ("PUT", "GET")]
    storage.create("a", b"1")
    assert storage.read("a") == b"1"
    assert not any(fault.times for fault in gcs.faults)


def test_an_object_whose_answer_was_lost_is_still_created(gcs: FakeGcs, storage: Storage) -> None:
    """Sent again it meets itself, which is not another writer."""
    gcs.faults[:] = [Fault("PUT", 503, 1, done=True)]
    storage.create("commit", b"mine")
    assert storage.read("commit") == b"mine"
    gcs.faults[:] = [Fault("PUT", 503, 1, done=True)]
    with pytest.raises(AlreadyExistsError):
        storage.create("commit", b"mine")


def test_a_pointer_whose_answer_was_lost_is_moved_once(gcs: FakeGcs, storage: Storage) -> None:
    """It is not asked about itself."""
    storage.create("one", b"1")
    storage.create("two", b"2")
    storage.point("latest", "one", lambda _: True)
    gcs.faults[:] = [Fault("PUT", 503, 1, done=True)]
    seen: list[bytes] = []
    assert storage.point("latest", "two", lambda present: seen.append(present) or True)
    assert (seen, storage.read("latest")) == ([b"1"], b"2")


def test_a_pointer_that_moved_meanwhile_is_asked_about_again(storage: Storage) -> None:
    """What the decision was made on must still be there when it is carried out."""
    for name in ("1", "3", "5"):
        storage.create(name, name.encode())
    storage.point("latest", "1", lambda _: True)
    seen: list[bytes] = []

    def newer(present: bytes) -> bool:
        seen.append(present)
        if present == b"1":
            storage.point("latest", "5", lambda _: True)
        return present < b"3"

    assert storage.point("latest", "3", newer) is False
    assert (seen, storage.read("latest")) == ([b"1", b"5"], b"5")


def test_a_broken_upload_leaves_no_parts(gcs: FakeGcs, storage: Storage) -> None:
    """What was sent is forgotten by the service, too; the error names bucket and key."""
    gcs.faults[:] = [Fault("PUT", 403, 100)]

    def write() -> None:
        with storage.writer("out/a") as file:
            for _ in range(4):
                file.write(bytes(16 * 1024 * 1024))

    with pytest.raises(VariableError, match=rf"'out/a' .*gs://{BUCKET}/.* permission was denied"):
        write()
    assert not storage.exists("out/a")
    assert gcs.uploads == {}


def _refused(storage: Storage) -> str:
    with pytest.raises(VariableError) as caught:
        storage.create("k", b"")
    assert not isinstance(caught.value, VariableNotFoundError | AlreadyExistsError)
    return str(caught.value)


def test_errors_name_bucket_and_key_and_say_what_to_do(
    gcs: FakeGcs, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Denied, without login, too busy."""
    monkeypatch.setitem(buckets.RETRIES, "max_retries", 1)
    storage = open_storage(f"gs://{BUCKET}/p")
    expected = {
        403: f"'k' in the variable store gs://{BUCKET}/p could not be written: permission was "
        "denied. The account needs the role Storage Object User on the bucket.",
        401: "the credentials were refused. Run `gcloud auth application-default login`",
        429: "asks for fewer requests, even after several tries. Run again later.",
        400: "could not be written: Injected: Injected",
    }
    for status, text in expected.items():
        gcs.faults[:] = [Fault("PUT", status, 10)]
        assert text in _refused(storage)


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_missing_bucket_is_no_missing_object(
    kind: str, services: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is done with it."""
    use(kind, "", services, monkeypatch)
    storage = open_storage(f"{kind}://no-such-bucket/p")
    assert "there is no bucket 'no-such-bucket'. Create it, or correct" in _refused(storage)
    with pytest.raises(VariableError, match="there is no bucket"):
        storage.read("k")
    with pytest.raises(VariableError, match="there is no bucket"):
        list(storage.entries("k"))


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_an_endpoint_that_cannot_be_reached_is_named(
    kind: str, services: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable that names it; an endpoint in the URI comes before the environment."""
    use(kind, "", services, monkeypatch)
    monkeypatch.setitem(buckets.RETRIES, "max_retries", 1)
    storage = open_storage(f"{kind}://{BUCKET}/p?endpoint=http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached. Check the network" in _refused(storage)


def test_missing_credentials_are_asked_for(
    services: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nothing gives any, not even a metadata server."""
    use("s3", "", services, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://169.254.169.254.invalid")
    monkeypatch.setitem(buckets.RETRIES, "max_retries", 0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    text = _refused(open_storage(f"s3://{BUCKET}/p"))
    assert "no credentials were found. Set AWS_ACCESS_KEY_ID" in text


def test_an_unknown_profile_is_named(
    services: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Profiles are those of AWS's own tools."""
    use("s3", "", services, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(VariableError, match="The AWS profile 'nobody' gives no credentials"):
        open_storage(f"s3://{BUCKET}/p")


TABLES = {
    "numbers": lambda rows: pd.DataFrame({f"c{n}": np.arange(rows) for n in range(8)}),
    "texts": lambda rows: pd.DataFrame(
        {"c0": np.arange(rows), "t": [f"row {n}" for n in range(rows)]}
    ),
    "Arrow": lambda rows: pa.table({"c0": np.arange(rows), "c1": np.arange(rows) * 0.5}),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_page_of_a_remote_table_reads_little(case: str, gcs: FakeGcs, tmp_path: Path) -> None:
    """A batch or two and the footer; the table comes back whole all the same."""
    rows = 600_000
    store = VariableStore(f"gs://{BUCKET}/{tmp_path.name}")
    value = TABLES[case](rows)
    manifest = commit(store, {"value": value})
    size = manifest.outputs["value"].bytes
    gcs.requests.clear()
    shown = store.page(manifest, "value", 400_000, 3)
    assert [row["c0"] for row in shown["sample"]] == [400_000, 400_001, 400_002]
    assert 0 < sum(sent for _, _, sent in gcs.requests) < size / 3
    again = store.load(manifest, "value")
    assert again.equals(value)


def test_a_damaged_remote_object_is_found(gcs: FakeGcs, tmp_path: Path) -> None:
    """By verify, and by who loads it; one that is short is found by its size."""
    store = VariableStore(f"gs://{BUCKET}/{tmp_path.name}")
    manifest = commit(store, {"value": np.arange(100_000)})
    key = f"{tmp_path.name}/{manifest.prefix}/{manifest.outputs['value'].objects[0].key}"
    stored = gcs.buckets[BUCKET][key]
    whole = stored.data
    stored.data = whole[:-1] + b"\xff"
    assert [problem.code for problem in store.verify()] == ["damaged-object"]
    with pytest.raises(CorruptVariableError, match="sha256 differs"):
        store.load(manifest, "value")
    stored.data = whole[:-1]
    with pytest.raises(CorruptVariableError, match="bytes long, but"):
        store.load(manifest, "value")
    del gcs.buckets[BUCKET][key]
    with pytest.raises(CorruptVariableError, match="is missing"):
        store.load(manifest, "value")


def test_two_writers_of_one_output_never_meet(gcs: FakeGcs, tmp_path: Path) -> None:
    """What is sent in parts would replace what is there, so no two writers share a name."""
    storage = open_storage(f"gs://{BUCKET}/{tmp_path.name}")
    one, other = (Sink(storage, "attempt", "big") for _ in range(2))
    with one.file(".bin") as first, other.file(".bin") as second:
        for _ in range(5):
            first.write(b"1" * (4 * 1024 * 1024))
            second.write(b"2" * (4 * 1024 * 1024))
    for sink, byte in ((one, b"1"), (other, b"2")):
        source = Source(storage, "attempt", tuple(sink.objects), verify=True)
        assert set(bytes(source.buffer(".bin"))) == set(byte)
    assert gcs.uploads == {}
