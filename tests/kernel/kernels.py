"""Real kernels with the extension loaded, driven as JupyterLab, VS Code or nbclient drive them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

TIMEOUT_S = 60.0


@dataclass
class Answer:
    """What a cell said."""

    status: str = ""
    stdout: str = ""
    stderr: str = ""
    result: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    @property
    def text(self) -> str:
        """All plain text."""
        shown = [str(each.get("text/plain", "")) for each in self.displays]
        return "\n".join((self.stdout, self.stderr, self.result, *shown))


class Kernel:
    """One running kernel."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient, path: Path) -> None:
        self.manager = manager
        self.client = client
        self.path = path

    def run(self, source: str, **metadata: Any) -> Answer:
        """Run code with the metadata of an execute request."""
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return self._answer(message["header"]["msg_id"])

    def cell(self, number: int) -> Answer:
        """Run a cell of the saved notebook as JupyterLab does: with its id and tags."""
        document = json.loads(self.path.read_text("utf-8"))
        cell = document["cells"][number - 1]
        metadata = {"cellId": cell["id"], "deletedCells": [], **cell["metadata"]}
        return self.run("".join(cell["source"]), **metadata)

    def ask(self, expression: str) -> str:
        """The repr of an expression."""
        return self.run(expression).result

    def _answer(self, parent: str) -> Answer:
        answer = Answer()
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") != parent:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    name = content["name"]
                    setattr(answer, name, getattr(answer, name) + content["text"])
                case "execute_result":
                    answer.result = content["data"].get("text/plain", "")
                    answer.displays.append(content["data"])
                case "display_data" | "update_display_data":
                    answer.displays.append(content["data"])
                case "error":
                    answer.error = f"{content['ename']}: {content['evalue']}"
                case "status" if content["execution_state"] == "idle":
                    break
        reply = self.client.get_shell_msg(timeout=TIMEOUT_S)
        while reply["parent_header"].get("msg_id") != parent:
            reply = self.client.get_shell_msg(timeout=TIMEOUT_S)
        answer.status = reply["content"]["status"]
        return answer


@contextmanager
def kernel(path: Path, *, load: bool = True, session: bool = True) -> Iterator[Kernel]:
    """A kernel in the folder of a notebook; `session`: the server has told it the notebook."""
    # ipykernel 7 may wait for one of its own threads for ever when it ends.
    manager = KernelManager(kernel_name="python3", shutdown_wait_time=1.0)
    environment = {"JPY_SESSION_NAME": str(path)} if session else {}
    manager.start_kernel(cwd=str(path.parent), env=_environment(environment))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT_S)
        started = Kernel(manager, client, path)
        if load:
            loaded = started.run("%load_ext jupyter_blocks")
            assert (loaded.status, loaded.stderr) == ("ok", "")
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}
    return {**kept, "JUPYTER_BLOCKS_DEBUG": "1", **more}
