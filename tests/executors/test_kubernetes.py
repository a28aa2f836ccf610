"""Blocks as Jobs of a fake cluster that speaks the real protocol and runs what it is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from jupyter_blocks.executors.base import Executor, ExecutorContext, Observation, Phase, Reason
from jupyter_blocks.executors.jobs import SubmitError
from jupyter_blocks.executors.kubernetes.backend import open_kubernetes
from jupyter_blocks.executors.kubernetes.client import is_in_cluster
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes
from jupyter_blocks.testing.remote_contract import (
    CANARY,
    GOOD_IMAGE,
    Cloud,
    RemoteExecutorContract,
)

STUBBORN = (
    "import pathlib, signal, time\n@data_loader\ndef stubborn(**kwargs):\n"
    "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "    pathlib.Path(kwargs['mark']).write_text('started')\n    time.sleep(600)\n"
)


class TestKubernetes(RemoteExecutorContract):
    """All that any executor promises, and what only clusters do."""

    @pytest.fixture
    def cloud(self, host: ContainerHost, tmp_path: Path) -> Iterator[Cloud]:
        cluster = FakeKubernetes(host, folder=tmp_path / "cluster")
        yield cluster
        cluster.close()

    @pytest.fixture
    def cluster(self, cloud: Cloud) -> FakeKubernetes:
        assert isinstance(cloud, FakeKubernetes)
        return cloud

    def open_in(self, cloud: Cloud, context: ExecutorContext) -> Executor:
        return open_kubernetes(context)

    def detail_of(
        self, executor: Executor, project: ContractProject, until: Callable[[Observation], bool]
    ) -> Observation:
        return self.wait(executor, executor.submit(project.task("number")), until)

    # how it ends

    @pytest.mark.parametrize("how", ["preempted", "evicted", "drained", "gone"])
    def test_a_pod_that_was_taken_away_is_lost(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes, how: str
    ) -> None:
        """Also where its worker was asked politely, and says that it was cancelled."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda _seen: project.mark("sleeping").exists())
        cluster.lose(task.attempt_id, how)
        seen = self.wait(executor, handle)
        assert (seen.phase, seen.reason) == (Phase.LOST, Reason.INFRASTRUCTURE)
        assert seen.detail

    def test_a_job_that_somebody_deleted_is_lost(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """It is looked for twice before that is said."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda seen: seen.phase is Phase.RUNNING)
        cluster.forget(task.attempt_id)
        (first,) = executor.observe([handle])
        assert first.phase is Phase.RUNNING
        assert self.wait(executor, handle).phase is Phase.LOST

    def test_a_job_that_expired_has_its_result_in_the_store(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """The cluster removes finished Jobs; what they left tells how they ended."""
        executor = self.reopened(project, cluster, ttl_seconds_after_finished=0)
        handle = executor.submit(project.task("number"))
        deadline = time.monotonic() + 60
        while cluster.objects.of("jobs") or cluster.objects.of("pods"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED
        executor.release(handle)

    def test_a_sidecar_does_not_keep_a_block_alive(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """Its own container is judged, and the rest of the pod is removed."""
        cluster.controller.sidecar = True
        handle = executor.submit(project.task("number"))
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED
        assert cluster.objects.of("jobs")
        executor.release(handle)
        deadline = time.monotonic() + 30
        while cluster.objects.of("jobs") or cluster.objects.of("pods"):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @pytest.mark.parametrize("may_delete", [True, False])
    def test_a_block_that_will_not_stop_is_killed(
        self,
        project: ContractProject,
        cluster: FakeKubernetes,
        may_delete: bool,
    ) -> None:
        """After the grace asked for, or that of its pod where pods may not be deleted."""
        if not may_delete:
            cluster.forbidden.add(("delete", "pods"))
        grace_s = 600 if may_delete else 1
        executor = self.reopened(project, cluster, termination_grace_period_seconds=grace_s)
        project.block("stubborn", STUBBORN)
        handle = executor.submit(project.task("stubborn"))
        self.wait(executor, handle, lambda _seen: project.mark("stubborn").exists())
        executor.cancel(handle, 0.0)
        seen = self.wait(executor, handle)
        executor.close()
        assert (seen.phase, seen.reason) == (Phase.CANCELLED, Reason.CANCELLED)

    # what never starts

    def test_no_room_is_told_while_it_lasts(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """A block waits for a node, in the scheduler's words, and not for ever."""
        executor = self.reopened(
            project, cluster, node_selector={"pool": "nowhere"}, start_timeout_s=1
        )
        handle = executor.submit(project.task("number"))
        waits = self.wait(executor, handle, lambda seen: "no node has a place" in seen.detail)
        assert waits.phase is Phase.PENDING
        seen = self.wait(executor, handle)
        executor.close()
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.START_TIMEOUT)
        assert "didn't match Pod's node affinity/selector" in seen.detail

    @pytest.mark.parametrize(
        ("settings", "phase", "words"),
        [
            ({"service_account_name": "nobody"}, Phase.FAILED, 'serviceaccount "nobody"'),
            (
                {"volumes": [{"name": "keys", "secret": {"secretName": "keys"}}]},
                Phase.PENDING,
                'secret "keys" not found',
            ),
        ],
    )
    def test_events_say_why_a_pod_does_not_come(
        self,
        project: ContractProject,
        cluster: FakeKubernetes,
        monkeypatch: pytest.MonkeyPatch,
        settings: dict[str, Any],
        phase: Phase,
        words: str,
    ) -> None:
        """Neither the Job nor the pod does."""
        module = "jupyter_blocks.executors.kubernetes"
        monkeypatch.setattr(f"{module}.state._STUCK_AFTER", timedelta(seconds=-2))
        monkeypatch.setattr(f"{module}.backend._EVENTS_INTERVAL_S", 0.1)
        executor = self.reopened(project, cluster, **settings)
        seen = self.detail_of(executor, project, lambda seen: words in seen.detail)
        executor.close()
        assert seen.phase is phase

    def test_a_quota_of_pods_is_named(
        self,
        executor: Executor,
        project: ContractProject,
        cluster: FakeKubernetes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is waited for, since other blocks end; the user knows why."""
        module = "jupyter_blocks.executors.kubernetes"
        monkeypatch.setattr(f"{module}.state._STUCK_AFTER", timedelta(seconds=-2))
        monkeypatch.setattr(f"{module}.backend._EVENTS_INTERVAL_S", 0.1)
        cluster.controller.most_pods = 0
        handle = executor.submit(project.task("number"))
        seen = self.wait(executor, handle, lambda seen: "exceeded quota" in seen.detail)
        assert seen.phase is Phase.PENDING
        cluster.controller.most_pods = None
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED

    # secrets

    def test_a_secret_of_the_cluster_is_found_nowhere(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """The kubelet puts it into the container; only its name travels."""
        cluster.nodes.volumes.secrets["vault"] = {"password": CANARY}
        project.block(
            "using",
            "import os\n@data_loader\ndef using(**kwargs):\n"
            "    print(os.environ['PASSWORD'])\n    return len(os.environ['PASSWORD'])\n",
        )
        executor = self.reopened(project, cluster, secrets={"PASSWORD": "k8s:vault/password"})
        task = project.task("using")
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        executor.close()
        assert project.store.load(self.manifest(project, task), "output_0") == len(CANARY)
        assert "[secret]" in project.log(task)
        forms = (CANARY, json.dumps(CANARY)[1:-1])
        told = [*cluster.requests, *(json.dumps(item) for item in cluster.objects.items.values())]
        assert not [text for text in told for form in forms if form in text]

    @pytest.mark.parametrize("reference", ["k8s:absent/key", "k8s:vault/absent"])
    def test_a_missing_secret_is_named(
        self, project: ContractProject, cluster: FakeKubernetes, reference: str
    ) -> None:
        """At once: it does not come by waiting."""
        cluster.nodes.volumes.secrets["vault"] = {"password": "x"}
        executor = self.reopened(project, cluster, secrets={"PASSWORD": reference})
        seen = self.wait(executor, executor.submit(project.task("number")))
        executor.close()
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.CONFIGURATION)
        assert "absent" in seen.detail

    # the API

    def test_credentials_that_expire_are_read_again(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """In the middle of a run, without a word."""
        task = project.task("counting")
        handle = executor.submit(task)
        cluster.expire_token()
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED
        assert project.mark("counting").read_text("utf-8") == "x"

    def test_credentials_that_stay_wrong_say_what_to_do(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """Asking again with them makes no sense."""
        cluster.token = "another"
        with pytest.raises(SubmitError, match="log in again") as caught:
            executor.submit(project.task("number"))
        assert caught.value.reason is Reason.CONFIGURATION

    def test_a_missing_right_is_named_with_its_rule(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """In a form that can be put into a Role."""
        cluster.forbidden.add(("create", "jobs"))
        rule = r'\{apiGroups: \["batch"\], resources: \["jobs"\], verbs: \["create"\]\}'
        with pytest.raises(SubmitError, match=rule) as caught:
            executor.submit(project.task("number"))
        assert caught.value.reason is Reason.CONFIGURATION

    def test_a_full_quota_costs_no_attempt(
        self,
        executor: Executor,
        project: ContractProject,
        cluster: FakeKubernetes,
    ) -> None:
        """The block is submitted again later."""
        cluster.most_jobs = 1
        executor.submit(project.task("number", 1))
        with pytest.raises(SubmitError, match="Quota 'blocks'") as caught:
            executor.submit(project.task("number", 2))
        assert caught.value.reason is Reason.NO_CAPACITY

    def test_a_quota_that_stays_full_is_given_up(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """In the words of the cluster, with how long it was waited."""
        executor = self.reopened(project, cluster, start_timeout_s=0)
        cluster.most_jobs = 1
        executor.submit(project.task("number", 1))
        with pytest.raises(SubmitError, match=r"no machine .* within 0 s: Quota") as caught:
            executor.submit(project.task("number", 2))
        executor.close()
        assert caught.value.reason is Reason.START_TIMEOUT

    def test_a_missing_namespace_is_named(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """With the setting to change."""
        executor = self.reopened(project, cluster, namespace="nowhere")
        with pytest.raises(SubmitError, match="set 'namespace'"):
            executor.submit(project.task("number"))
        executor.close()

    def test_a_job_of_somebody_else_is_left_alone(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """A Job of the same name is adopted only if it was made for the same task."""
        task = project.task("sleeping")
        executor.submit(task)
        (job,) = cluster.objects.of("jobs")
        job["metadata"]["annotations"]["jupyter-blocks/task-sha256"] = "0" * 64
        with pytest.raises(SubmitError, match=f"kubectl delete job jb-{task.attempt_id}"):
            executor.submit(task)

    def test_lists_are_read_page_by_page(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """And from the start again where a page has expired (410)."""
        executor = self.reopened(project, cluster, node_selector={"pool": "nowhere"})
        tasks = [project.task("number", number) for number in range(1, 8)]
        handles = [executor.submit(task) for task in tasks]
        attempts = [task.attempt_id for task in tasks]
        cluster.fail(2, 410, when="page")
        assert sorted(handle.attempt_id for handle in executor.find(attempts)) == sorted(attempts)
        cluster.fail(1, 410, when="page")
        seen = executor.observe(handles)
        executor.close()
        assert [observation.attempt_id for observation in seen] == attempts
        assert {observation.phase for observation in seen} == {Phase.PENDING}

    def test_all_states_cost_two_lists(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """However many blocks run."""
        cluster.page_size = 500
        executor = self.reopened(project, cluster, node_selector={"pool": "nowhere"})
        handles = [executor.submit(project.task("number", number)) for number in range(1, 8)]
        del cluster.calls[:]
        executor.observe(handles)
        executor.close()
        assert [path.split("?")[0].rsplit("/", 1)[1] for _, path in cluster.calls] == [
            "jobs",
            "pods",
        ]

    def test_a_cluster_that_is_gone_leaves_attempts_unknown(
        self,
        executor: Executor,
        project: ContractProject,
        cluster: FakeKubernetes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A lost connection says nothing about a block."""
        monkeypatch.setattr("jupyter_blocks.executors.remote.OBSERVE_GIVE_UP_S", 0.0)
        handle = executor.submit(project.task("sleeping"))
        cluster.close()
        (seen,) = executor.observe([handle])
        assert seen.phase is Phase.UNKNOWN
        assert "does not answer" in seen.detail

    # before a run

    def test_checks_find_nothing_where_all_is_well(
        self, executor: RemoteExecutor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """And change nothing."""
        assert executor.check(project.task("number")) == []
        findings = executor.diagnose()
        assert [finding.what for finding in findings if not finding.is_good] == []
        assert {"namespace blocks", "permission to create jobs", "image"} <= {
            finding.what for finding in findings
        }
        assert not cluster.objects.items

    @pytest.mark.parametrize(
        ("spoil", "what", "hint"),
        [
            (
                lambda cluster: cluster.forbidden.add(("delete", "jobs")),
                "permission to delete jobs",
                'verbs: ["delete"]',
            ),
            (
                lambda cluster: setattr(cluster, "version", "v1.24.9"),
                "connection to the cluster",
                "1.26",
            ),
            (
                lambda cluster: setattr(cluster, "namespace", "other"),
                "namespace blocks",
                "kubectl create namespace blocks",
            ),
        ],
    )
    def test_checks_say_what_to_do(
        self,
        executor: RemoteExecutor,
        cluster: FakeKubernetes,
        spoil: Callable[[FakeKubernetes], None],
        what: str,
        hint: str,
    ) -> None:
        """One finding is bad, and says how to make it good."""
        spoil(cluster)
        (bad,) = [finding for finding in executor.diagnose() if not finding.is_good]
        assert bad.what == what
        assert hint in bad.hint

    def test_checks_do_not_need_what_blocks_do_not_need(
        self, executor: RemoteExecutor, cluster: FakeKubernetes
    ) -> None:
        """Events and namespaces may be hidden from the user."""
        cluster.forbidden |= {("list", "events"), ("get", "namespaces"), ("delete", "pods")}
        findings = executor.diagnose()
        assert all(finding.is_good for finding in findings)
        assert "messages say less" in " ".join(finding.detail for finding in findings)

    def test_checks_without_a_cluster_say_so(
        self, project: ContractProject, cluster: FakeKubernetes, tmp_path: Path
    ) -> None:
        """No kubeconfig, or none that leads anywhere."""
        (tmp_path / "empty").write_text("", "utf-8")
        for kubeconfig in (tmp_path / "empty", tmp_path / "nothing"):
            executor = self.reopened(project, cluster, kubeconfig=str(kubeconfig))
            assert isinstance(executor, RemoteExecutor)
            (bad,) = [finding for finding in executor.diagnose() if not finding.is_good]
            assert "kubectl get jobs" in bad.detail

    def test_a_request_without_an_image_is_refused(
        self, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """Before the run, and without a call."""
        executor = self.reopened(project, cluster, image="")
        (problem,) = executor.check(project.task("number"))
        assert "'image' is missing" in problem.message
        assert not cluster.calls

    def test_a_block_has_settings_of_its_own(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """They win over the project's."""
        task = replace(project.task("number"), executor_config={"labels": {"team": "a"}})
        request: Any = executor.job_request(task)
        assert request["metadata"]["labels"]["team"] == "a"
        container = request["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == GOOD_IMAGE

    # the fake itself

    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            (lambda job: job["spec"].update(sedective=1), 400, 'unknown field "spec.sedective"'),
            (lambda job: job["metadata"].update(name="x" * 64), 422, "metadata.name"),
            (lambda job: job["metadata"]["labels"].update(a="ä"), 422, "a valid label"),
            (
                lambda job: job["spec"]["template"]["spec"].update(restartPolicy="Always"),
                422,
                "restartPolicy",
            ),
            (
                lambda job: job["spec"]["template"]["spec"]["containers"][0].pop("image"),
                422,
                "image",
            ),
        ],
    )
    def test_the_fake_is_strict(
        self,
        executor: Executor,
        project: ContractProject,
        cluster: FakeKubernetes,
        change: Callable[[Any], Any],
        code: int,
        words: str,
    ) -> None:
        """A request that it takes would be taken by a cluster."""
        job = json.loads(json.dumps(executor.job_request(project.task("number"))))
        change(job)
        answered = cluster.answer(
            "POST",
            "/apis/batch/v1/namespaces/blocks/jobs?fieldValidation=Strict",
            f"Bearer {cluster.token}",
            json.dumps(job).encode(),
        )
        assert answered is not None
        assert answered[0] == code
        assert words in json.loads(answered[1])["message"]

    def test_the_fake_refuses_calls_that_come_too_fast(self, cluster: FakeKubernetes) -> None:
        """A second's worth at once, and then 429 with the time to wait."""
        cluster.faults.most_calls_per_s = 3
        path = "/apis/batch/v1/namespaces/blocks/jobs"
        answers = [cluster.answer("GET", path, f"Bearer {cluster.token}", b"") for _ in range(9)]
        codes = [answer[0] for answer in answers if answer]
        assert codes[:3] == [200] * 3
        assert codes[-1] == 429
        assert answers[-1] is not None
        assert answers[-1][2]["Retry-After"] == "1"

    def test_the_fake_speaks_to_the_official_client(
        self, executor: Executor, project: ContractProject, cluster: FakeKubernetes
    ) -> None:
        """Its answers are objects of the client's models too."""
        self.wait(executor, executor.submit(project.task("number")))
        configuration = client.Configuration()
        config.load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        with client.ApiClient(configuration) as api:
            (job,) = client.BatchV1Api(api).list_namespaced_job("blocks").items
            (pod,) = client.CoreV1Api(api).list_namespaced_pod("blocks").items
        assert job.spec.backoff_limit == 0
        assert pod.status.container_statuses[0].state.terminated.exit_code == 0


@pytest.mark.parametrize(
    ("environment", "settings", "is_inside"),
    [
        ({}, {}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": "x"}, {}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"context": "x"}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"kubeconfig": "x"}, False),
    ],
)
def test_in_and_out_of_a_cluster(
    environment: dict[str, str], settings: dict[str, str], is_inside: bool
) -> None:
    """A pod's own account is used where nothing else is asked for."""
    assert is_in_cluster(settings, environment) is is_inside
