"""Volumes of pods: the block finds them, or the fake cluster says that it does not do them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.base import (
    BlockTask,
    ExecutorContext,
    JobHandle,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.executors.jobs import SubmitError
from jupyter_blocks.executors.kubernetes.backend import open_kubernetes
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.containers import (
    Container,
    ContainerHost,
    Mount,
    can_hide,
    worker_image,
)
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes
from jupyter_blocks.testing.remote_contract import CANARY, GOOD_IMAGE

pytestmark = pytest.mark.skipif(not can_hide(), reason="this user may not mount")


@pytest.fixture
def project(tmp_path: Path, s3_variables: str) -> ContractProject:
    return ContractProject(tmp_path / "project", variables=s3_variables)


@pytest.fixture
def cluster(
    project: ContractProject, role: dict[str, str], tmp_path: Path
) -> Iterator[FakeKubernetes]:
    host = ContainerHost({GOOD_IMAGE: worker_image()}, role, [project.root])
    cluster = FakeKubernetes(host, folder=tmp_path / "cluster")
    yield cluster
    cluster.close()


def opened(project: ContractProject, cluster: FakeKubernetes, **settings: Any) -> RemoteExecutor:
    merged = {**cluster.settings(), "image": GOOD_IMAGE, **settings}
    return open_kubernetes(ExecutorContext(str(project.root), settings=merged))


def ran(
    project: ContractProject, cluster: FakeKubernetes, *body: str, **settings: Any
) -> tuple[BlockTask, Observation]:
    """Run a block with these lines, to its end."""
    lines = "".join(f"    {line}\n" for line in body)
    project.block("using", f"import os, pathlib\n@data_loader\ndef using(**kwargs):\n{lines}")
    executor = opened(project, cluster, **settings)
    task = project.task("using")
    seen = ended(executor, executor.submit(task))
    executor.close()
    return task, seen


def ended(executor: RemoteExecutor, handle: JobHandle) -> Observation:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (seen,) = executor.observe([handle])
        if seen.phase.is_final:
            return seen
        time.sleep(0.1)
    raise AssertionError(f"{handle} does not end")


def value(project: ContractProject, task: BlockTask, seen: Observation) -> Any:
    """What the block returned."""
    assert seen.phase is Phase.SUCCEEDED, seen.detail
    manifest = project.store.manifest(task.pipeline, task.run_id, task.block, task.attempt_id)
    return project.store.load(manifest, "output_0")


def mounted(name: str, volume: dict[str, Any], **mount: Any) -> dict[str, Any]:
    """The settings for one volume."""
    return {
        "volumes": [{"name": name, **volume}],
        "volume_mounts": [{"name": name, **mount}],
    }


READS = (
    "found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob('*') if p.is_file()}"
)
TRIES = (
    "try:",
    "    (folder / 'new').write_text('x')",
    "except OSError as error:",
    "    found['new'] = error.strerror",
    "return found",
)


@pytest.mark.parametrize("place", ["/blocks-test/model", "/etc/blocks-test", "/mnt"])
def test_config_maps_are_files(
    project: ContractProject, cluster: FakeKubernetes, place: str
) -> None:
    """Wherever they are to be, and this machine does not get a folder by that."""
    cluster.nodes.volumes.config_maps["model"] = {"depth": "3", "seed": "7"}
    volume = {"config_map": {"name": "model", "items": [{"key": "depth", "path": "a/depth"}]}}
    before = set(Path(place).parent.glob("*"))
    body = (f"folder = pathlib.Path('{place}')", READS, *TRIES)
    task, seen = ran(project, cluster, *body, **mounted("model", volume, mount_path=place))
    assert value(project, task, seen) == {"a/depth": "3", "new": "Read-only file system"}
    assert set(Path(place).parent.glob("*")) == before


def test_an_empty_folder_is_written_to(project: ContractProject, cluster: FakeKubernetes) -> None:
    """On a disk or in memory; it goes with its pod."""
    settings = {
        "volumes": [
            {"name": "disk", "empty_dir": {}},
            {"name": "memory", "empty_dir": {"medium": "Memory", "size_limit": "1Mi"}},
        ],
        "volume_mounts": [
            {"name": "disk", "mount_path": "/scratch"},
            {"name": "memory", "mount_path": "/fast"},
        ],
    }
    body = (
        "pathlib.Path('/scratch/a').write_bytes(bytes(2 << 20))",
        "try:",
        "    pathlib.Path('/fast/a').write_bytes(bytes(2 << 20))",
        "except OSError as error:",
        "    return f\"{error.strerror}, {os.path.getsize('/scratch/a')}\"",
    )
    task, seen = ran(project, cluster, *body, **settings)
    assert value(project, task, seen) == f"No space left on device, {2 << 20}"
    assert not Path("/scratch").exists()


def test_a_claim_outlives_its_pods(
    project: ContractProject, cluster: FakeKubernetes, tmp_path: Path
) -> None:
    """What one block writes the next one reads; a part of it may be mounted, or only be read."""
    claim = tmp_path / "claim"
    (claim / "raw").mkdir(parents=True)
    (claim / "raw" / "a.csv").write_text("1", "utf-8")
    cluster.nodes.volumes.claims["data"] = claim
    volume = {"persistent_volume_claim": {"claim_name": "data"}}
    body = ("folder = pathlib.Path('/data')", READS, *TRIES)
    task, seen = ran(project, cluster, *body, **mounted("data", volume, mount_path="/data"))
    assert value(project, task, seen) == {"raw/a.csv": "1"}
    assert (claim / "new").read_text("utf-8") == "x"
    part = mounted("data", volume, mount_path="/data", sub_path="raw", read_only=True)
    (claim / "raw" / "b.csv").write_text("2", "utf-8")
    executor = opened(project, cluster, **part)
    again = project.task("using", 2)
    seen = ended(executor, executor.submit(again))
    executor.close()
    assert value(project, again, seen) == {
        "a.csv": "1",
        "b.csv": "2",
        "new": "Read-only file system",
    }


def test_a_secret_in_a_file_is_found_nowhere(
    project: ContractProject, cluster: FakeKubernetes
) -> None:
    """The kubelet puts it into the pod; its path travels, and what is said of it is redacted."""
    cluster.nodes.volumes.secrets["vault"] = {"password": CANARY}
    volume = {"secret": {"secret_name": "vault", "default_mode": 0o400}}
    body = (
        "secret = os.environ['PASSWORD']",
        "print(secret)",
        "same = secret == pathlib.Path('/run/vault/password').read_text()",
        "raise ValueError(f'{same}: cannot log in with {secret}')",
    )
    settings = mounted("vault", volume, mount_path="/run/vault")
    task, seen = ran(
        project, cluster, *body, **settings, secrets={"PASSWORD": "file:/run/vault/password"}
    )
    assert "True: cannot log in with [secret]" in seen.detail
    assert "[secret]" in project.log(task)
    kept = project.store.storage
    stored = [kept.read(entry.key) for entry in kept.entries()]
    told = [*cluster.requests, *(json.dumps(item) for item in cluster.objects.items.values())]
    for form in (CANARY, json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]):
        assert not [text for text in (*told, repr(seen)) if form in text]
        assert not [data for data in stored if form.encode() in data]


def test_variables_come_from_whole_secrets_and_config_maps(
    project: ContractProject, cluster: FakeKubernetes
) -> None:
    """`env_from`, with a prefix; and single keys of a ConfigMap."""
    cluster.nodes.volumes.secrets["login"] = {"USER": "u", "KEY": "k"}
    cluster.nodes.volumes.config_maps["model"] = {"depth": "3"}
    settings = {
        "env_from": [{"prefix": "DB_", "secret_ref": {"name": "login"}}],
        "env": [
            {
                "name": "DEPTH",
                "value_from": {"config_map_key_ref": {"name": "model", "key": "depth"}},
            }
        ],
    }
    body = ("return ' '.join(os.environ[name] for name in ('DB_USER', 'DB_KEY', 'DEPTH'))",)
    task, seen = ran(project, cluster, *body, **settings)
    assert value(project, task, seen) == "u k 3"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (mounted("a", {"host_path": {"path": "/"}}, mount_path="/a"), r"volumes\[a\]\.hostPath"),
        (mounted("a", {"nfs": {"server": "s", "path": "/"}}, mount_path="/a"), "nfs"),
        (mounted("a", {"empty_dir": {"size_limit": "1Gi"}}, mount_path="/a"), "sizeLimit"),
        (mounted("a", {"empty_dir": {}}, mount_path="/a", sub_path_expr="$(A)"), "subPathExpr"),
        ({"container": {"working_dir": "/"}}, "workingDir"),
        ({"pod": {"init_containers": [{"name": "a", "image": "b"}]}}, "initContainers"),
        (
            {"env": [{"name": "A", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}]},
            "fieldRef",
        ),
    ],
)
def test_what_the_fake_does_not_do_it_refuses(
    project: ContractProject, cluster: FakeKubernetes, settings: dict[str, Any], words: str
) -> None:
    """No test is green for something that was never tried."""
    executor = opened(project, cluster, **settings)
    with pytest.raises(SubmitError, match=f"is a fake, and does not do .*{words}"):
        executor.submit(project.task("number"))
    executor.close()


def test_a_claim_that_is_not_there_is_waited_for_with_its_name(
    project: ContractProject, cluster: FakeKubernetes
) -> None:
    """And not for ever."""
    volume = {"persistent_volume_claim": {"claim_name": "absent"}}
    settings = mounted("data", volume, mount_path="/data")
    _, seen = ran(project, cluster, "return 1", **settings, start_timeout_s=1)
    assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.START_TIMEOUT)
    assert 'persistentvolumeclaim "absent" not found' in seen.detail


def test_a_container_without_its_mounts_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this user may not mount, nothing runs as if there were no volumes."""
    monkeypatch.setattr("jupyter_blocks.testing.containers.can_hide", lambda: False)
    with pytest.raises(OSError, match="may not mount volumes"):
        Container(["true"], {}, mounts=[Mount(str(tmp_path), "/a")])
