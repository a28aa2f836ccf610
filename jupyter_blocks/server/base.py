"""What every handler shares: checked requests, work in threads, answers and errors as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http.client import responses
from typing import Any, ClassVar, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.server.contract import checked_body, checked_parameters
from jupyter_blocks.server.faults import RequestError, fault_document, status_of
from jupyter_blocks.server.jsontext import dump
from jupyter_blocks.server.services import Services

__all__ = ["SERVICES", "BlocksHandler", "allowed_to"]

SERVICES = "jupyter_blocks_services"
"""Key of the services in the settings of the web application."""

_VERBS = ("get", "post")

_Method = TypeVar("_Method", bound=Callable[..., Any])


def allowed_to(action: str) -> Callable[[_Method], _Method]:
    """Jupyter's `authorized`, where the action does not follow from the verb."""
    return cast("Callable[[_Method], _Method]", authorized(action))


class BlocksHandler(APIHandler):
    """One address of the extension; `path` is its template in the OpenAPI file."""

    auth_resource = "blocks"
    path: ClassVar[str]

    @property
    def services(self) -> Services:
        """What the extension keeps for all requests."""
        found: Services = self.settings[SERVICES]
        return found

    def parameters(self) -> dict[str, Any]:
        """The parameters of path and query, checked."""
        given = {
            name: [value.decode("utf-8", "replace") for value in values]
            for name, values in self.request.query_arguments.items()
        }
        for name, value in self.path_kwargs.items():
            given[name] = [str(value)]
        return checked_parameters(self.path, self._verb, given)

    def body(self) -> dict[str, Any]:
        """The JSON body, checked."""
        limit = self.services.limits.body_bytes
        if len(self.request.body) > limit:
            raise RequestError(
                413,
                f"The request holds {len(self.request.body):,} bytes; {limit:,} are allowed.",
                hint="Clear the outputs of the notebook, or raise BlocksApp.max_body_bytes.",
            )
        try:
            body = json.loads(self.request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RequestError(400, "The body of the request is not JSON.") from error
        return checked_body(self.path, self._verb, body)

    async def saved(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The request, with the notebook in it where notebooks are not kept on the disk."""
        if self.services.is_on_disk or asked.get("content") is not None:
            return asked
        self.services.places.resolve(asked["path"])
        contents: Any = self.contents_manager
        model = await ensure_async(contents.get(asked["path"], content=True))
        return {**asked, "content": model["content"]}

    def refuse_without_disk(self, body: dict[str, Any]) -> None:
        """Refuse what writes or reads files beside a notebook, where there are none."""
        if "path" in body and not self.services.is_on_disk:
            raise RequestError(
                409,
                "This server does not keep its notebooks as files; blocks cannot lie beside them.",
                hint="Run `jupyter blocks` in a folder that has the notebook.",
            )

    async def work(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function gives, computed in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.services.threads, function, *arguments)

    async def answer(
        self, function: Callable[..., Any], *arguments: Any, status: int = 200
    ) -> None:
        """Finish with what a function gives: a document, or JSON as bytes."""
        result = await self.work(_dumped, function, *arguments)
        self.set_status(status)
        await self.finish(result)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors are JSON with `message` and `hint`; what only the server may know stays here."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, BlocksError):
            status_code = status_of(error)
            self.set_status(status_code)
            document = fault_document(error, self.services.places.root)
        elif isinstance(error, HTTPError) and status_code < 500:
            message = error.log_message if error.log_message else responses.get(status_code, "")
            document = {"message": str(message), "hint": ""}
        else:
            document = {
                "message": "The server made a mistake while it worked on the request.",
                "hint": "The log of the Jupyter server says more.",
            }
        if status_code == 405:
            self.set_header("Allow", ", ".join(self._allowed()))
        self.set_header("Cache-Control", "no-store")
        self.finish(dump(document))

    def log_exception(self, kind: Any, error: Any, traceback: Any) -> None:
        """Refused requests are no news; mistakes of the server are."""
        if not isinstance(error, BlocksError):
            super().log_exception(kind, error, traceback)

    @property
    def _verb(self) -> str:
        return (self.request.method or "GET").lower()

    def _allowed(self) -> list[str]:
        own = [verb for verb in _VERBS if verb in vars(type(self))]
        return [verb.upper() for verb in (*own, "options")]


def _dumped(function: Callable[..., Any], *arguments: Any) -> bytes:
    result = function(*arguments)
    return result if isinstance(result, bytes) else dump(result)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
