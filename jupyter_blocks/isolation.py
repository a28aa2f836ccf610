"""Keeps the blocks that share a warm worker apart: what one changes, the next does not see.

Working folder, environment, arguments, warnings, signals, logging, random state, and the global
options of numpy, pandas and matplotlib. A library that is not loaded costs nothing.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from jupyter_blocks.decorators import end_cell

__all__ = ["figures_as_in_notebooks", "isolated"]

_Restore = Callable[[], None]
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_handler_of: Callable[[int], Any] = import_module("_signal").getsignal
"""`signal.getsignal` without its search for a name, which fails and raises for every function."""
_BACKEND = "module://jupyter_blocks.cellfigures"


@contextmanager
def isolated(
    working_dir: str, environment: Mapping[str, str], arguments: list[str]
) -> Iterator[None]:
    """Run the `with` block in `working_dir` with more environment variables and `sys.argv`.

    Raises `OSError` if the folder is not there. Everything is put back at the end, and figures are
    closed.
    """
    undo = [_working_dir(), _environment(environment), _interpreter(), _signals()]
    undo += [keep() for name, keep in _LIBRARIES.items() if name in sys.modules]
    _random.draw_anew()
    try:
        if working_dir:
            os.chdir(working_dir)
        sys.argv = arguments
        with warnings.catch_warnings():
            yield
    finally:
        for restore in reversed(undo):
            _try(restore)
        _close_figures()


def _try(restore: _Restore) -> None:
    try:
        restore()
    except Exception:  # what a block did to a library must not keep the rest from being put back
        return


def figures_as_in_notebooks() -> None:
    """Let figures of pyplot begin and end as in the cells of a notebook; `isolated` undoes it."""
    if "matplotlib" in sys.modules:
        _use_backend(_BACKEND)
    else:
        os.environ["MPLBACKEND"] = _BACKEND


def _use_backend(name: str) -> None:
    """Switch to a backend of matplotlib; as long as none is in use, without loading it."""
    settings = sys.modules["matplotlib"].rcParams
    pyplot = sys.modules.get("matplotlib.pyplot")
    if dict.get(settings, "backend") == name:
        return
    if pyplot is None or getattr(pyplot, "_backend_mod", None) is None:
        dict.__setitem__(settings, "backend", name)
    else:
        pyplot.switch_backend(name)


def _working_dir() -> _Restore:
    try:
        before = os.getcwd()  # noqa: PTH109 - this runs before every block
    except FileNotFoundError:
        before = "/"
    return lambda: os.chdir(before)


def _environment(more: Mapping[str, str]) -> _Restore:
    # Decoding all variables takes longer than many a block; their bytes can be compared as well.
    encoded = getattr(os.environ, "_data", os.environ)
    before = dict(encoded)
    if "MPLBACKEND" not in os.environ:
        os.environ["MPLBACKEND"] = "agg"
    os.environ.update(more)
    given = dict(encoded)

    def restore() -> None:
        if encoded == given:
            for name in more:
                del os.environ[name]
        if encoded == before:
            return
        zone = os.environ.get("TZ")
        for name in encoded.keys() - before.keys():
            del os.environ[os.fsdecode(name)]
        changed = [name for name, value in before.items() if encoded.get(name) != value]
        for name in changed:
            os.environ[os.fsdecode(name)] = os.fsdecode(before[name])
        if zone != os.environ.get("TZ"):
            time.tzset()

    return restore


def _interpreter() -> _Restore:
    arguments, depth = sys.argv, sys.getrecursionlimit()

    def restore() -> None:
        sys.argv = arguments
        sys.setrecursionlimit(depth)

    return restore


def _signals() -> _Restore:
    """A block that takes the signals over must not keep the worker from being stopped later."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = [(number, _handler_of(number)) for number in _SIGNALS]

    def restore() -> None:
        for number, handler in before:
            if _handler_of(number) is not handler:
                signal.signal(number, handler)

    return restore


class _Random:
    """The global random streams: every attempt draws its own numbers, whichever worker runs it.

    Workers are forked from one process, so without this they would all draw the same ones; and a
    block after one that sets a seed would not draw at random.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._state: Any = None
        self._numpy_state: Any = None

    def draw_anew(self) -> None:
        # Seeding takes up to 0.2 ms: only where this process has not done it, or somebody drew.
        if self._pid != os.getpid():
            self._pid, self._state, self._numpy_state = os.getpid(), None, None
        random = sys.modules.get("random")
        if random is not None and self._state != random.getstate():
            random.seed()
            self._state = random.getstate()
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is None or not hasattr(numpy_random, "seed"):
            return
        if self._numpy_state != _numpy_state(numpy_random):
            numpy_random.seed()
            self._numpy_state = _numpy_state(numpy_random)


_random = _Random()


def _numpy_state(numpy_random: Any) -> tuple[Any, ...]:
    state = numpy_random.get_state(legacy=False)
    return state["state"]["pos"], state["has_gauss"], state["state"]["key"].tobytes()


_NEW_LOGGER: tuple[Any, ...] = (0, True, False, ())


def _loggers(manager: Any) -> dict[Any, tuple[Any, ...]]:
    """Logger -> its level, whether it hands on, whether it is off, its handlers."""
    return {
        logger: (logger.level, logger.propagate, logger.disabled, (*logger.handlers,))
        for logger in list(manager.loggerDict.values())
        if hasattr(logger, "handlers")
    }


def _logging() -> _Restore:
    root = sys.modules["logging"].root
    handlers, level, disabled = list(root.handlers), root.level, root.manager.disable
    before = _loggers(root.manager)

    def restore() -> None:
        root.handlers[:] = handlers
        root.setLevel(level)
        root.manager.disable = disabled
        for logger, now in _loggers(root.manager).items():
            then = before.get(logger, _NEW_LOGGER)
            if now != then:
                logger.setLevel(then[0])
                logger.propagate, logger.disabled, logger.handlers[:] = then[1], then[2], then[3]

    return restore


def _numpy() -> _Restore:
    numpy = sys.modules["numpy"]
    errors, printing = numpy.geterr(), numpy.get_printoptions()

    def restore() -> None:
        numpy.seterr(**errors)
        if numpy.get_printoptions() != printing:
            numpy.set_printoptions(**printing)

    return restore


def _pandas() -> _Restore:
    """Pandas has no public way to list its options with their values, so its table is read."""
    pandas = sys.modules["pandas"]
    options = getattr(sys.modules.get("pandas._config.config"), "_global_config", {})
    before = pickle.dumps(options)

    def restore() -> None:
        with suppress(pickle.PicklingError, AttributeError, TypeError):
            if pickle.dumps(options) == before:
                return
        now = dict(_flattened(options))
        for name, value in _flattened(pickle.loads(before)):  # noqa: S301 - written above
            if now.get(name) != value:
                pandas.set_option(name, value)

    return restore


def _flattened(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


class _Matplotlib:
    """Keeps one copy of the settings, made anew only when somebody outside a block changed them."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def keep(self) -> _Restore:
        # The methods of dict: those of the settings load the backend, warn and convert.
        settings = sys.modules["matplotlib"].rcParams
        if not dict.__eq__(settings, self._kept):
            self._kept = dict.copy(settings)
        backend = self._kept["backend"]

        def restore() -> None:
            if isinstance(backend, str):
                _use_backend(backend)
            if not dict.__eq__(settings, self._kept):
                for name, value in self._kept.items():
                    if not name.startswith("backend"):
                        dict.__setitem__(settings, name, value)
                self._kept = dict.copy(settings)

        return restore


def _close_figures() -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with suppress(Exception):
            pyplot.close("all")
            end_cell()


_LIBRARIES: Mapping[str, Callable[[], _Restore]] = {
    "logging": _logging,
    "matplotlib": _Matplotlib().keep,
    "numpy": _numpy,
    "pandas": _pandas,
}
