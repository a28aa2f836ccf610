"""How a worker on another machine comes to its task, its code, its packages and its secrets."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from jupyter_blocks import redaction
from jupyter_blocks.bundle import make_bundle
from jupyter_blocks.executors.base import BlockTask, CodeRef, Reason
from jupyter_blocks.heartbeat import last_heartbeat
from jupyter_blocks.requirements import python_version
from jupyter_blocks.taskboot import (
    ATTEMPT,
    DIGEST,
    TASK,
    BootError,
    claim,
    code_key,
    prepared,
    read_task,
    task_key,
)
from jupyter_blocks.variables.openstorage import object_uri, open_storage, split_object
from jupyter_blocks.variables.storage import LocalStorage

PREFIX = "pipelines/p/runs/r/b/" + "a" * 26


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """A store in a folder."""
    return LocalStorage(tmp_path / "größe und store")


@pytest.fixture
def task(storage: LocalStorage, tmp_path: Path) -> BlockTask:
    """A task whose code is in the store."""
    root = tmp_path / "shop"
    (root / "notebooks").mkdir(parents=True)
    (root / "notebooks" / "data.txt").write_text("42", "utf-8")
    bundle = make_bundle(root)
    key = code_key("p", "r", bundle.sha256)
    storage.create(key, bundle.data)
    return BlockTask(
        run_id="r",
        pipeline="p",
        block="b",
        type="data_loader",
        attempt_id="a" * 26,
        attempt=1,
        project="",
        working_dir="notebooks",
        file="data_loaders/b.py",
        prefix=PREFIX,
        variables=str(storage.path("")),
        code=CodeRef(bundle.sha256, key),
        python=python_version(),
        heartbeat_s=0.05,
    )


def refused(task: BlockTask, storage: LocalStorage) -> BootError:
    with pytest.raises(BootError) as raised, prepared(task, storage):
        pytest.fail("it was prepared")
    return raised.value


# the task


def test_a_task_is_read_by_uri(storage: LocalStorage, task: BlockTask) -> None:
    """From wherever it is, checked by digest and attempt."""
    document = json.dumps(task.as_json()).encode()
    storage.create(task_key(PREFIX), document)
    environment = {
        TASK: object_uri(task.variables, task_key(PREFIX)),
        DIGEST: sha256(document).hexdigest(),
        ATTEMPT: task.attempt_id,
    }
    assert read_task(environment) == task
    with pytest.raises(ValueError, match="sha256"):
        read_task({**environment, DIGEST: "0" * 64})
    with pytest.raises(ValueError, match="not another"):
        read_task({**environment, ATTEMPT: "another"})


@pytest.mark.parametrize(
    ("root", "uri", "store"),
    [
        ("s3://b/p", "s3://b/p/k/task.json", "s3://b"),
        ("s3://b", "s3://b/k/task.json", "s3://b"),
        ("s3://b/p?region=x", "s3://b/p/k/task.json?region=x", "s3://b?region=x"),
        ("/tmp/a b", "file:///tmp/a%20b/k/task.json", "/"),
    ],
)
def test_the_uri_of_an_object(root: str, uri: str, store: str) -> None:
    """It leads to the widest store that holds it, with the same options."""
    assert object_uri(root, "k/task.json") == uri
    assert split_object(uri)[0] == store
    key = split_object(uri)[1]
    assert key.endswith("k/task.json")
    assert "%" not in key


def test_an_object_in_a_folder_is_found_again(tmp_path: Path) -> None:
    """Whatever its path holds."""
    LocalStorage(tmp_path / "ä b").create("k/x.json", b"found")
    root, key = split_object(object_uri(str(tmp_path / "ä b"), "k/x.json"))
    assert open_storage(root).read(key) == b"found"


def test_one_process_claims_an_attempt(storage: LocalStorage) -> None:
    """The second one hears so."""
    assert claim(storage, PREFIX)
    assert not claim(storage, PREFIX)
    assert json.loads(storage.read(f"{PREFIX}/claim.json"))["pid"] == os.getpid()


# the code


def test_the_code_is_unpacked_for_the_time_of_the_block(
    storage: LocalStorage, task: BlockTask
) -> None:
    """The working folder is in it; nothing stays behind."""
    with prepared(task, storage) as ready:
        assert Path(ready.working_dir, "data.txt").read_text("utf-8") == "42"
        assert Path(ready.working_dir).parent == Path(ready.project)
    assert not Path(ready.project).exists()


def test_a_damaged_bundle_is_refused(storage: LocalStorage, task: BlockTask) -> None:
    """Cut short, changed, gone."""
    assert task.code is not None
    data = storage.read(task.code.key)
    for number, damaged in enumerate((data[:-9], b"x" + data, data[:40] + b"!" + data[41:])):
        storage.create(f"code/{number}", damaged)
        code = replace(task.code, key=f"code/{number}")
        error = refused(replace(task, code=code), storage)
        assert error.reason is Reason.INPUT_MISSING
        assert "The code of the project cannot be used" in str(error)
    gone = replace(task.code, key="code/gone")
    assert refused(replace(task, code=gone), storage).reason is Reason.INPUT_MISSING


def test_code_in_the_image_is_compared(
    storage: LocalStorage, task: BlockTask, tmp_path: Path
) -> None:
    """What is there runs where it is; an old one is refused."""
    assert task.code is not None
    root = tmp_path / "shop"
    baked = replace(task, code=CodeRef(task.code.sha256, folder=str(root)))
    with prepared(baked, storage) as ready:
        assert ready.project == str(root)
    assert root.exists()
    (root / "new.py").write_text("", "utf-8")
    error = refused(baked, storage)
    assert error.reason is Reason.CONFIGURATION
    assert "is not the code of this run" in str(error)
    elsewhere = replace(task, code=CodeRef(task.code.sha256, folder="/not/there"))
    assert "holds no project at /not/there" in str(refused(elsewhere, storage))


@pytest.mark.parametrize("folder", ["../other", "/etc"])
def test_the_working_folder_is_in_the_project(
    storage: LocalStorage, task: BlockTask, folder: str
) -> None:
    """Nothing else was sent."""
    assert "is not in the project" in str(refused(replace(task, working_dir=folder), storage))


# packages, environment, secrets


def test_missing_packages_stop_and_others_are_told(
    storage: LocalStorage, task: BlockTask, capsys: pytest.CaptureFixture[str]
) -> None:
    """The difference between cannot run and may behave differently."""
    error = refused(replace(task, packages={"no-such": "1", "pandas": "0.1"}), storage)
    assert error.reason is Reason.CONFIGURATION
    assert "no-such 1." in str(error)
    assert "instead of 0.1" in str(error)
    with prepared(replace(task, packages={"pandas": "0.1"}, python="2.7"), storage):
        pass
    out = capsys.readouterr().out
    assert "instead of 0.1" in out
    assert "instead of 2.7" in out


def test_environment_and_secrets_are_there_for_the_block_only(
    storage: LocalStorage, task: BlockTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the secrets are hidden from then on."""
    monkeypatch.setattr(redaction, "_forms", [])
    monkeypatch.setenv("VAULT", "open sesame")
    monkeypatch.setenv("MODE", "before")
    asked = replace(task, environment={"MODE": "during"}, secrets={"PASSWORD": "env:VAULT"})
    with prepared(asked, storage):
        assert (os.environ["MODE"], os.environ["PASSWORD"]) == ("during", "open sesame")
    assert os.environ["MODE"] == "before"
    assert "PASSWORD" not in os.environ
    assert redaction.redacted(b"open sesame!") == b"[secret]!"


def test_a_secret_that_cannot_be_read_stops(storage: LocalStorage, task: BlockTask) -> None:
    """Named by its reference."""
    error = refused(replace(task, secrets={"A": "env:NOT_SET_ANYWHERE"}), storage)
    assert error.reason is Reason.CONFIGURATION
    assert "env:NOT_SET_ANYWHERE" in str(error)


def test_a_worker_gives_signs_of_life(storage: LocalStorage, task: BlockTask) -> None:
    """A number that grows, and its memory."""
    assert last_heartbeat(storage, PREFIX) is None
    with prepared(task, storage):
        deadline = time.monotonic() + 30
        while (last_heartbeat(storage, PREFIX) or {}).get("seq", 0) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    beat = last_heartbeat(storage, PREFIX)
    assert beat is not None
    assert beat["peak_rss_mib"] >= beat["rss_mib"] > 1


def test_a_task_of_this_machine_is_left_alone(storage: LocalStorage, task: BlockTask) -> None:
    """Without `code` nothing is fetched, and nobody has to be told that it lives."""
    mine = replace(task, code=None, project="/a", working_dir="/a/b")
    with prepared(mine, storage) as ready:
        assert ready == mine
    assert last_heartbeat(storage, PREFIX) is None
