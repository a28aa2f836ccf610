"""Looks at credentials, project, region and permissions before a run, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.cloud_run.client import CloudRunClient
from jupyter_blocks.executors.cloud_run.errors import role_for
from jupyter_blocks.executors.cloud_run.request import job_request
from jupyter_blocks.executors.cloud_run.settings import Connection, JobSettings
from jupyter_blocks.executors.jobs import ApiFailure, Finding, WorkerCommand
from jupyter_blocks.taskboot import DIGEST

__all__ = ["PERMISSIONS", "checkup"]

PERMISSIONS = (
    "run.executions.cancel",
    "run.executions.get",
    "run.jobs.create",
    "run.jobs.delete",
    "run.jobs.get",
    "run.jobs.list",
    "run.jobs.run",
    "run.tasks.list",
)
"""All that is needed of Cloud Run; reading the last lines takes `logging.logEntries.list` too."""

Failure = Callable[[Exception], ApiFailure]


def checkup(
    opened: Callable[[], CloudRunClient],
    connection: Connection,
    settings: JobSettings,
    failure: Failure,
) -> list[Finding]:
    """One finding for each thing looked at; the rest is left out where nobody may ask."""
    try:
        client = opened()
    except Exception as error:  # whatever google-auth raises
        return [Finding("credentials", is_good=False, hint=failure(error).detail)]
    found = [Finding("credentials", is_good=True, detail=client.who or "they were found")]
    listed = _jobs_listed(client, connection, failure)
    found.append(listed)
    if listed.is_good:
        found += _permissions(client, connection)
        found += _service_account(client, settings)
        found += _trial(client, connection, settings, failure)
    return found


def _jobs_listed(client: CloudRunClient, connection: Connection, failure: Failure) -> Finding:
    what = f"jobs in {connection.region} of project {connection.project}"
    try:
        next(client.jobs(page_size=1))
    except Exception as error:
        return Finding(what, is_good=False, hint=failure(error).detail)
    return Finding(what, is_good=True, detail="they can be listed")


def _permissions(client: CloudRunClient, connection: Connection) -> Iterator[Finding]:
    """Nothing is concluded where the project may not be asked: the trial tells."""
    what = "permissions in the project"
    try:
        missing = sorted(set(PERMISSIONS) - client.granted(list(PERMISSIONS)))
    except Exception as error:
        yield Finding(what, is_good=True, detail=f"they cannot be looked at: {error}")
        return
    if not missing:
        yield Finding(what, is_good=True, detail=f"all {len(PERMISSIONS)} are there")
        return
    roles = sorted({role_for(permission) for permission in missing})
    member = client.who or "the account that runs the pipeline"
    yield Finding(
        what,
        is_good=False,
        detail=f"missing: {', '.join(missing)}",
        hint=f"Grant {' and '.join(roles)} to {member} in project {connection.project}.",
    )


def _service_account(client: CloudRunClient, settings: JobSettings) -> Iterator[Finding]:
    if not settings.service_account:
        return
    what = f"acting as {settings.service_account}"
    try:
        allowed = client.may_act_as(settings.service_account)
    except Exception as error:
        yield Finding(what, is_good=True, detail=f"it cannot be looked at: {error}")
        return
    hint = "" if allowed else "Grant roles/iam.serviceAccountUser on that service account."
    yield Finding(what, is_good=allowed, detail="iam.serviceAccounts.actAs", hint=hint)


def _trial(
    client: CloudRunClient, connection: Connection, settings: JobSettings, failure: Failure
) -> Iterator[Finding]:
    """A job like those of a run, which Cloud Run looks at and does not make."""
    what = f"a job with image {settings.image or '(none)'}, validated only"
    if not settings.image:
        yield Finding(what, is_good=False, hint="Set 'image' below 'gcp_cloud_run_config'.")
        return
    command = WorkerCommand(("python", "-m", "jupyter_blocks.worker"), {DIGEST: "0" * 64})
    task = BlockTask("check", "check", "check", "custom", "check", 1, "", "", "")
    try:
        request = job_request(connection, settings, task, command)
        client.create_job(request, validate_only=True)
    except Exception as error:
        yield Finding(what, is_good=False, hint=failure(error).detail)
        return
    yield Finding(what, is_good=True, detail="Cloud Run would take it")
