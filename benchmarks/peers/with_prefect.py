"""Prefect: tasks whose results are stored in files, with the server it starts for a script."""

import os

import work

kind, size, folder = work.arguments()
os.environ.update(
    PREFECT_HOME=str(folder),
    PREFECT_LOGGING_LEVEL="ERROR",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="300",
    DO_NOT_TRACK="1",
)
from prefect import flow, task  # noqa: E402 - its settings are read on import

stored = task(persist_result=True)
first, add = stored(lambda: 0), stored(lambda x: x + 1)
load, clean, export = stored(work.load), stored(work.clean), stored(work.export)


@flow
def steps():
    if kind == "tables":
        export(clean(load(size)))
    elif kind == "chain":
        value = first()
        for _step in range(1, size):
            value = add(value)
    else:
        value = first()
        for future in [add.submit(value) for _step in range(size)]:
            future.result()


steps()
