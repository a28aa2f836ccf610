"""The one place where Google's SDK for Cloud Run is used: single calls, JSON in and JSON out.

The SDK speaks REST here (`transport="rest"`): no threads of gRPC, and proxies work. Its retries are
off and every call has a timeout, because ours are counted and seen.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.cloud_run.settings import Connection

with warnings.catch_warnings():
    # Google's packages announce at import until when they will support this Python.
    warnings.simplefilter("ignore", FutureWarning)
    import google.auth
    from google.api_core import exceptions as api_errors
    from google.auth import credentials as auth
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import run_v2
    from google.protobuf import json_format

__all__ = ["CloudRunClient", "api_errors", "parsed"]

TIMEOUT_S = 30.0
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_PAGE_SIZE = 100
_TYPES: Mapping[str, Any] = {"Job": run_v2.Job, "Execution": run_v2.Execution, "Task": run_v2.Task}


def parsed(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """A resource (`Job`, `Execution`, `Task`) as the API reads it; `ValueError` where it cannot.

    Unknown fields, wrong types and two members of a `oneof` are errors.
    """
    message = _TYPES[kind].pb(_TYPES[kind]())
    try:
        json_format.ParseDict(document, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error
    return _as_json(message)


class CloudRunClient:
    """Calls for one connection; safe for use by threads. Raises what the SDK raises."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._credentials = _credentials(connection)
        self.who: str = _who(self._credentials)
        """Account that asks, as far as the credentials say."""
        self._jobs = self._service(run_v2.JobsClient)
        self._executions = self._service(run_v2.ExecutionsClient)
        self._tasks = self._service(run_v2.TasksClient)
        self._session = AuthorizedSession(self._credentials)  # type: ignore[no-untyped-call]

    def create_job(self, request: Mapping[str, Any], *, validate_only: bool = False) -> None:
        """Ask for a job, without waiting for it to be ready."""
        message = run_v2.Job.pb(run_v2.Job())
        json_format.ParseDict(request["job"], message)
        self._jobs.create_job(
            run_v2.CreateJobRequest(
                parent=request["parent"],
                job_id=request["jobId"],
                job=run_v2.Job.wrap(message),
                validate_only=validate_only,
            ),
            retry=None,
            timeout=TIMEOUT_S,
        )

    def job(self, name: str) -> dict[str, Any]:
        """A job by its full name."""
        return _plain(self._jobs.get_job(name=name, retry=None, timeout=TIMEOUT_S))

    def jobs(self, page_size: int = _PAGE_SIZE) -> Iterator[list[dict[str, Any]]]:
        """All jobs of the region, a page for each call."""
        token = ""
        while True:
            request = run_v2.ListJobsRequest(
                parent=self._connection.parent, page_size=page_size, page_token=token
            )
            found = self._jobs.list_jobs(request, retry=None, timeout=TIMEOUT_S)
            page = next(iter(found.pages))
            yield [_plain(job) for job in page.jobs]
            token = page.next_page_token
            if not token:
                return

    def execution(self, name: str) -> dict[str, Any]:
        """An execution by its full name."""
        return _plain(self._executions.get_execution(name=name, retry=None, timeout=TIMEOUT_S))

    def task(self, execution: str) -> dict[str, Any]:
        """The one task of an execution; empty while there is none."""
        found = self._tasks.list_tasks(parent=execution, retry=None, timeout=TIMEOUT_S)
        first = next(iter(next(iter(found.pages)).tasks), None)
        return {} if first is None else _plain(first)

    def cancel_execution(self, name: str) -> None:
        """Ask for the end of an execution, without waiting for it."""
        self._executions.cancel_execution(name=name, retry=None, timeout=TIMEOUT_S)

    def delete_job(self, name: str) -> None:
        """Ask for the end of a job and its execution, without waiting for it."""
        self._jobs.delete_job(name=name, retry=None, timeout=TIMEOUT_S)

    def log_lines(self, job: str, lines: int) -> list[str]:
        """The last lines a job's container wrote, by Cloud Logging, in order.

        https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
        """
        project = self._connection.project
        wanted = (
            'resource.type="cloud_run_job" '
            f'resource.labels.job_name="{job}" '
            f'resource.labels.location="{self._connection.region}" '
            'logName:"run.googleapis.com%2Fstd"'
        )
        body = {
            "resourceNames": [f"projects/{project}"],
            "filter": wanted,
            "orderBy": "timestamp desc",
            "pageSize": lines,
        }
        entries = self._post("logging", "v2/entries:list", body).get("entries", [])
        texts = [str(entry["textPayload"]) for entry in entries if "textPayload" in entry]
        return texts[::-1]

    def granted(self, permissions: list[str]) -> set[str]:
        """Which of these permissions whoever asks has in the project."""
        path = f"v1/projects/{self._connection.project}:testIamPermissions"
        answer = self._post("cloudresourcemanager", path, {"permissions": permissions})
        return set(answer.get("permissions", []))

    def may_act_as(self, service_account: str) -> bool:
        """Whether whoever asks may start jobs that run as a service account."""
        path = f"v1/projects/-/serviceAccounts/{service_account}:testIamPermissions"
        answer = self._post("iam", path, {"permissions": ["iam.serviceAccounts.actAs"]})
        return bool(answer.get("permissions"))

    def close(self) -> None:
        """Close all connections."""
        for service in (self._jobs, self._executions, self._tasks):
            service.transport.close()
        self._session.close()  # type: ignore[no-untyped-call]

    def _service(self, kind: Any) -> Any:
        endpoint = self._connection.endpoint
        if not endpoint:
            return kind(credentials=self._credentials, transport="rest")
        scheme, host = re.fullmatch(r"(?:(https?)://)?(.*?)/?", endpoint).groups()  # type: ignore[union-attr]
        transport = kind.get_transport_class("rest")(
            host=host, credentials=self._credentials, url_scheme=scheme or "https"
        )
        return kind(transport=transport)

    def _post(self, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call another API of Google's; at an endpoint of one's own, all are at that place."""
        base = self._connection.endpoint or f"https://{service}.googleapis.com"
        answer = self._session.post(f"{base.rstrip('/')}/{path}", json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        document = answer.json()
        return document if isinstance(document, dict) else {}


def _credentials(connection: Connection) -> auth.Credentials:
    if connection.credentials_file:
        return _from_file(connection.credentials_file)
    if connection.endpoint.startswith("http://"):
        return auth.AnonymousCredentials()  # type: ignore[no-untyped-call]
    found: auth.Credentials = google.auth.default(scopes=_SCOPES)[0]
    return found


def _from_file(path: str) -> auth.Credentials:
    with warnings.catch_warnings():
        # It warns of files from strangers; this one is named in the project's settings.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            found = google.auth.load_credentials_from_file(path, scopes=_SCOPES)[0]  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"The credentials at {path} cannot be read: {error}.",
                hint="Correct 'path_to_credentials_json_file', or leave it out to use the "
                "application default credentials.",
            ) from error
    credentials: auth.Credentials = found
    return credentials


def _who(credentials: auth.Credentials) -> str:
    return str(
        getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "")
    )


def _plain(message: Any) -> dict[str, Any]:
    return _as_json(type(message).pb(message))


def _as_json(message: Any) -> dict[str, Any]:
    document = json_format.MessageToDict(message)
    return dict(document)
