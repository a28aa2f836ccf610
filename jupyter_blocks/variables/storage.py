"""Where stored bytes live: a handful of verbs on keys, and the local folder that keeps them.

Keys are `/`-separated and never leave the root. What is created is never changed again; the only
things ever replaced are pointers, and those atomically. `objectstorage` has the same verbs.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.wholefile import read_file

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["AlreadyExistsError", "Entry", "LocalStorage", "Storage"]

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""How a file system says that it has no hard links."""
_TEMPORARY = ".tmp-"
_LOCK = ".lock"


class AlreadyExistsError(VariableError):
    """There is an object under this key already; what is created is never written again."""


class Entry(NamedTuple):
    """One stored object."""

    key: str
    size: int
    """Bytes."""
    modified_at: float
    """Unix seconds."""


class Storage(Protocol):
    """Where objects are kept. Every verb raises `VariableError` where it cannot do its work."""

    def read(self, key: str) -> bytes:
        """All bytes of an object; `VariableNotFoundError` if there is none."""

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from byte `start` on."""

    def read_writable(self, key: str, size: int) -> bytearray:
        """All bytes of an object that should have `size` bytes, in memory of the caller's own.

        Where the object has another size, so has the answer.
        """

    def create(self, key: str, data: bytes, *, atomic: bool = True) -> None:
        """Write an object that must not exist yet (`AlreadyExistsError`): one caller wins.

        Atomic: nobody ever sees part of it, and a crash leaves none of it. Otherwise a crash may
        leave part of it, which is cheaper and enough where a digest kept elsewhere vouches for it.
        """

    def writer(self, key: str) -> AbstractContextManager[io.RawIOBase]:
        """A stream into an object that must not exist yet; an exception takes the object away.

        A crash may leave part of it, as with `create(atomic=False)`.
        """

    def replace(self, key: str, data: bytes) -> None:
        """Write an object, or put it in the place of the one there, atomically."""

    def point(self, key: str, target: str, may_replace: Callable[[bytes], bool]) -> bool:
        """Make `key` a copy of the object `target`, atomically; whether that was done.

        An object there already stays if `may_replace(its bytes)` is false; no other call of
        `point` comes between the question and the answer.
        """

    def publish(
        self, key: str, data: bytes, latest: str, may_replace: Callable[[bytes], bool]
    ) -> None:
        """`create(key, data)` and then `point(latest, key, may_replace)`, in fewer steps."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def size(self, key: str) -> int:
        """Size of an object in bytes; `VariableNotFoundError` if there is none."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Every object in the folder `prefix`, in no particular order."""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in the folder `prefix`, sorted."""

    def delete(self, prefix: str) -> None:
        """Remove an object, or a folder with all it holds; nothing there is fine."""

    def path(self, key: str) -> Path | None:
        """The local file of a key, for mapping it into memory; None where there is no such."""


class LocalStorage:
    """Objects as files below one folder, which is made when the first object is written.

    Objects appear by hard link and pointers by rename, so a process that is killed leaves a
    temporary file at worst. Nothing is forced to disk: after a power cut an object may be short,
    and the digest in the manifest tells.
    """

    # Paths are strings in here: making a Path takes longer than most of the system calls.

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).absolute()
        self._base = f"{str(self.root).rstrip('/')}/"

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.root)!r})"

    def path(self, key: str) -> Path:
        """The file of a key, whether it exists or not."""
        return Path(self._path(key))

    def read(self, key: str) -> bytes:
        """All bytes of an object; `VariableNotFoundError` if there is none."""
        try:
            return read_file(self._path(key))
        except OSError as error:
            raise self._explained(error, key, "read") from error

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from byte `start` on."""
        try:
            with self.path(key).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError as error:
            raise self._explained(error, key, "read") from error

    def read_writable(self, key: str, size: int) -> bytearray:
        """All bytes of an object, at most one more than `size`, in memory of the caller's own."""
        return bytearray(self.read_range(key, 0, size + 1))

    def create(self, key: str, data: bytes, *, atomic: bool = True) -> None:
        """Write an object that must not exist yet; see `Storage.create`."""
        path = self._path(key)
        try:
            if atomic:
                self._link(path, data)
            else:
                _write_new(path, data)
        except OSError as error:
            raise self._explained(error, key, "written") from error

    @contextmanager
    def writer(self, key: str) -> Iterator[io.RawIOBase]:
        """A stream into an object that must not exist yet; an exception takes the object away."""
        path = self._path(key)
        try:
            file = _open_new(path)
        except OSError as error:
            raise self._explained(error, key, "written") from error
        try:
            with file:
                yield _Stream(file, lambda error: self._explained(error, key, "written"))
        except BaseException:
            _remove(path)
            raise

    def replace(self, key: str, data: bytes) -> None:
        """Write an object, or put it in the place of the one there, atomically."""
        path = self._path(key)
        try:
            with _temporary_name(path) as temporary:
                _write_new(temporary, data)
                os.replace(temporary, path)  # noqa: PTH105
        except OSError as error:
            raise self._explained(error, key, "written") from error

    def point(self, key: str, target: str, may_replace: Callable[[bytes], bool]) -> bool:
        """Make `key` a copy of the object `target`, atomically; whether that was done."""
        with self._locked():
            if not self._may_point(key, may_replace):
                return False
            self.path(key).parent.mkdir(parents=True, exist_ok=True)
            self._copy(target, key)
        return True

    def publish(
        self, key: str, data: bytes, latest: str, may_replace: Callable[[bytes], bool]
    ) -> None:
        """`create(key, data)` and then `point(latest, key, may_replace)`.

        One file is written; it is first given the one name and then the other.
        """
        temporary = _free_name(place := self._path(latest))
        try:
            _write_new(temporary, data)
            os.link(temporary, self._path(key))
            with self._locked():
                if self._may_point(latest, may_replace):
                    os.replace(temporary, place)  # noqa: PTH105
                    temporary = ""  # nothing to be removed, which is not even looked for
        except OSError as error:
            if error.errno not in (*_NO_LINKS, errno.ENOENT):
                raise self._explained(error, key, "written") from error
            self.create(key, data)  # which makes its folder
            self.point(latest, key, may_replace)
        finally:
            if temporary:
                _remove(temporary)

    def _may_point(self, key: str, may_replace: Callable[[bytes], bool]) -> bool:
        try:
            return may_replace(self.read(key))
        except VariableNotFoundError:
            return True

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return self.path(key).is_file()

    def size(self, key: str) -> int:
        """Size of an object in bytes; `VariableNotFoundError` if there is none."""
        try:
            return self.path(key).stat().st_size
        except OSError as error:
            raise self._explained(error, key, "read") from error

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Every object in the folder `prefix`; temporary files of others are left out."""
        pending = [self._path(prefix)]
        while pending:
            try:
                children = list(os.scandir(pending.pop()))
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in children:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif not entry.name.startswith(".") and (status := _status(entry)):
                    key = entry.path[len(self._base) :]
                    yield Entry(key, status.st_size, status.st_mtime)

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in the folder `prefix`, sorted."""
        try:
            with os.scandir(self._path(prefix)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def delete(self, prefix: str) -> None:
        """Remove an object, or a folder with all it holds; nothing there is fine."""
        import shutil

        path = self.path(prefix)
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            shutil.rmtree(path, ignore_errors=True)  # somebody else deletes the same folder
        except OSError as error:
            raise self._explained(error, prefix, "deleted") from error

    def _path(self, key: str) -> str:
        if ".." in key and ".." in key.split("/"):
            raise VariableError(f"The key '{key}' leaves the store.")
        return self._base + key

    def _link(self, path: str, data: bytes) -> None:
        with _temporary_name(path) as temporary:
            _write_new(temporary, data)
            try:
                os.link(temporary, path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                # No hard links on this file system: claim the name, then put the whole in its
                # place. Readers take the empty claim for an object that is not there yet.
                _open_new(path).close()
                os.replace(temporary, path)  # noqa: PTH105

    def _copy(self, target: str, key: str) -> None:
        path = self._path(key)
        with _temporary_name(path) as temporary:
            try:
                # A second name for the same file costs far less than a second file.
                os.link(self._path(target), temporary)
                os.replace(temporary, path)  # noqa: PTH105
            except FileNotFoundError as error:
                raise self._explained(error, target, "read") from error
            except OSError:
                self.replace(key, self.read(target))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path, flags = self._base + _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            handle = os.open(path, flags, 0o666)
        except FileNotFoundError:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, flags, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _explained(self, error: OSError, key: str, verb: str) -> VariableError:
        where = f"'{key}' in the variable store {self.root}"
        if isinstance(error, FileExistsError):
            return AlreadyExistsError(f"There is an object {where} already.")
        if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
            return VariableNotFoundError(f"There is no object {where}.")
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "Make room, for instance with `jupyter blocks clean`, and run again."
        return VariableError(f"{where} could not be {verb}: {error.strerror or error}.", hint=hint)


class _Stream(io.RawIOBase):
    """A file whose failing writes say which object of which store could not be written."""

    def __init__(self, file: io.FileIO, explain: Callable[[OSError], VariableError]) -> None:
        self._file = file
        self._explain = explain

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        try:
            return _write_all(self._file, data)
        except OSError as error:
            raise self._explain(error) from error


def _free_name(path: str) -> str:
    return f"{path.rpartition('/')[0]}/{_TEMPORARY}{os.urandom(8).hex()}"


@contextmanager
def _temporary_name(path: str) -> Iterator[str]:
    """A free name beside `path`; what still has it in the end is removed."""
    name = _free_name(path)
    try:
        yield name
    finally:
        # Also after a rename: one between two names of one file leaves both.
        _remove(name)


def _open_new(path: str) -> io.FileIO:
    """A new file, in folders that are made on the way; `FileExistsError` if there is one."""
    for _ in range(2):
        try:
            return io.FileIO(path, "xb")
        except FileNotFoundError:
            # Twice, for a clean-up may take an empty folder away just then.
            os.makedirs(path.rpartition("/")[0], exist_ok=True)  # noqa: PTH103
    return io.FileIO(path, "xb")


def _write_new(path: str, data: bytes) -> None:
    try:
        with _open_new(path) as file:
            _write_all(file, data)
    except FileExistsError:
        raise
    except BaseException:
        _remove(path)
        raise


def _write_all(file: io.FileIO, data: Buffer) -> int:
    view = memoryview(data).cast("B")
    size = len(view)
    while view:
        view = view[file.write(view) :]
    return size


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
