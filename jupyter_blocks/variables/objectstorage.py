"""Objects in a bucket of S3, of Google Cloud Storage, or in memory: the verbs of `Storage`.

One winner among creators and no lost pointer need no lock here: the services compare and write in
one step, S3 by `If-None-Match` and `If-Match`, Google Cloud Storage by `ifGenerationMatch`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
https://cloud.google.com/storage/docs/request-preconditions
"""

from __future__ import annotations

import io
import random
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError as ObjectExistsError
from obstore.exceptions import BaseError, PreconditionError

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.buckets import bucket_client
from jupyter_blocks.variables.locations import Location
from jupyter_blocks.variables.objecterrors import explained, is_conflict, is_past_end
from jupyter_blocks.variables.storage import AlreadyExistsError, Entry
from jupyter_blocks.variables.uploads import PART_BYTES, Upload

__all__ = ["ObjectStorage", "open_location"]

_FAILURES = (BaseError, OSError, ValueError)
_WRITER = "blocks-writer"
"""Metadata of an object: a token of the one call that wrote it."""
_TRIES = 12
_PIECE = 16 * 1024 * 1024
_AT_ONCE = 4
_PAGE = 1000


def open_location(location: Location) -> ObjectStorage:
    """The storage at a location; whether the bucket is there is found out when it is used."""
    return ObjectStorage(location, bucket_client(location))


class ObjectStorage:
    """Objects below a prefix of one bucket. Safe for use by threads; not across a fork."""

    def __init__(self, location: Location, client: Any) -> None:
        self.location = location
        self._client = client
        self._base = f"{location.prefix}/" if location.prefix else ""

    def __repr__(self) -> str:
        return f"ObjectStorage('{self.location}')"

    def path(self, key: str) -> Path | None:  # noqa: ARG002
        """None: nothing here is a file."""
        return None

    def read(self, key: str) -> bytes:
        """All bytes of an object; `VariableNotFoundError` if there is none."""
        with self._explaining(key, "read"):
            return bytes(obstore.get(self._client, self._path(key)).bytes())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from byte `start` on."""
        if length <= 0:
            return b""
        with self._explaining(key, "read"):
            try:
                found = obstore.get_range(self._client, self._path(key), start=start, length=length)
            except BaseError as error:
                if is_past_end(error):
                    return b""
                raise
            return bytes(found)

    def read_writable(self, key: str, size: int) -> bytearray:
        """An object in memory of the caller's own; large ones come in several pieces at once."""
        if size <= _PIECE:
            return bytearray(self.read(key))
        if self.size(key) != size:
            return bytearray(self.read_range(key, 0, size + 1))
        data = bytearray(size)
        view = memoryview(data)

        def fetch(start: int) -> None:
            piece = self.read_range(key, start, min(_PIECE, size - start))
            view[start : start + len(piece)] = piece

        with ThreadPoolExecutor(_AT_ONCE, "download") as pool:
            list(pool.map(fetch, range(0, size, _PIECE)))
        return data

    def create(self, key: str, data: bytes, *, atomic: bool = True) -> None:  # noqa: ARG002
        """Write an object that must not exist yet; always atomic."""
        with self._explaining(key, "written"):
            if not self._put_if(key, data, "create", secrets.token_hex(8)):
                raise ObjectExistsError(key)

    @contextmanager
    def writer(self, key: str) -> Iterator[io.RawIOBase]:
        """A stream into an object that must not exist yet; an exception leaves none of it.

        What is larger than one part is sent while it is written, and S3 and Google Cloud Storage
        are then asked beforehand whether the object exists: the keys of outputs are those of one
        attempt alone, and the manifest holds the digest.
        """
        if self.exists(key):
            raise AlreadyExistsError(
                f"There is an object '{key}' in the variable store {self.location} already."
            )
        upload = Upload(lambda data: self.create(key, data), lambda it: self._stream(key, it))
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.break_off()
            raise

    def replace(self, key: str, data: bytes) -> None:
        """Write an object, or put it in the place of the one there, atomically."""
        with self._explaining(key, "written"):
            obstore.put(self._client, self._path(key), data, use_multipart=False)

    def point(self, key: str, target: str, may_replace: Callable[[bytes], bool]) -> bool:
        """Make `key` a copy of the object `target`, atomically; whether that was done.

        The present object is read, and then replaced only if it is still the same: whoever loses
        asks again.
        """
        token = secrets.token_hex(8)
        for number in range(_TRIES):
            with self._explaining(key, "replaced"):
                present = self._look(key)
            if present is not None:
                if present.attributes.get(_WRITER) == token:
                    return True
                if not may_replace(bytes(present.bytes())):
                    return False
            data = self.read(target)
            with self._explaining(key, "replaced"):
                if self._put_if(key, data, _mode(present), token):
                    return True
            _pause(number)
        raise VariableError(
            f"'{key}' in the variable store {self.location} could not be replaced: others did so "
            f"{_TRIES} times at the same moment.",
            hint="Run again.",
        )

    def publish(
        self, key: str, data: bytes, latest: str, may_replace: Callable[[bytes], bool]
    ) -> None:
        """`create(key, data)` and then `point(latest, key, may_replace)`."""
        self.create(key, data)
        self.point(latest, key, may_replace)

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        with self._explaining(key, "looked for"):
            try:
                obstore.head(self._client, self._path(key))
            except FileNotFoundError:
                return False
            return True

    def size(self, key: str) -> int:
        """Size of an object in bytes; `VariableNotFoundError` if there is none."""
        with self._explaining(key, "read"):
            return int(obstore.head(self._client, self._path(key))["size"])

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Every object in the folder `prefix`, page by page."""
        for page in self._pages(prefix):
            for found in page:
                key = found["path"].removeprefix(self._base)
                if not key.rpartition("/")[2].startswith("."):
                    yield Entry(key, found["size"], found["last_modified"].timestamp())

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in the folder `prefix`, sorted."""
        with self._explaining(prefix, "listed"):
            found = obstore.list_with_delimiter(self._client, self._path(prefix) or None)
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found["common_prefixes"])

    def delete(self, prefix: str) -> None:
        """Remove an object, or a folder with all it holds; nothing there is fine."""
        for page in self._pages(prefix):
            self._delete(prefix, [found["path"] for found in page])
        if prefix:
            self._delete(prefix, [self._path(prefix)])

    def _delete(self, prefix: str, paths: list[str]) -> None:
        with self._explaining(prefix, "deleted"):
            try:
                obstore.delete(self._client, paths)
            except FileNotFoundError:
                # Somebody else deletes the same objects: go on with the others, one by one.
                for path in paths:
                    with suppress(FileNotFoundError):
                        obstore.delete(self._client, path)

    def _pages(self, prefix: str) -> Iterator[Any]:
        with self._explaining(prefix, "listed"):
            path = self._path(prefix).rstrip("/") or None
            yield from obstore.list(self._client, path, chunk_size=_PAGE)

    def _path(self, key: str) -> str:
        if ".." in key and ".." in key.split("/"):
            raise VariableError(f"The key '{key}' leaves the store.")
        return self._base + key

    def _stream(self, key: str, parts: Iterator[bytes]) -> None:
        with self._explaining(key, "written"):
            obstore.put(
                self._client,
                self._path(key),
                parts,
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=_AT_ONCE,
            )

    def _look(self, key: str) -> Any:
        """An object with its version and metadata; none if there is none."""
        try:
            return obstore.get(self._client, self._path(key))
        except FileNotFoundError:
            return None

    def _put_if(self, key: str, data: bytes, mode: Any, token: str) -> bool:
        """Write under a condition; false if it does not hold.

        The answer to a write that was done may be lost, and the write sent again: then it meets
        itself. The token tells that from another writer's.
        """
        path = self._path(key)
        for number in range(_TRIES):
            try:
                obstore.put(
                    self._client,
                    path,
                    data,
                    mode=mode,
                    attributes={_WRITER: token},
                    use_multipart=False,
                )
            except (ObjectExistsError, PreconditionError):
                present = self._look(key)
                return present is not None and present.attributes.get(_WRITER) == token
            except BaseError as error:
                if not is_conflict(error) or number + 1 == _TRIES:
                    raise
                _pause(number)
            else:
                return True
        return False

    @contextmanager
    def _explaining(self, key: str, verb: str) -> Iterator[None]:
        try:
            yield
        except VariableError:
            raise
        except _FAILURES as error:
            raise explained(error, self.location, key, verb) from error


def _mode(present: Any) -> Any:
    """Write only if the object is still the one that was read."""
    if present is None:
        return "create"
    return {name: present.meta[name] for name in ("e_tag", "version") if present.meta.get(name)}


def _pause(number: int) -> None:
    time.sleep(random.uniform(0, min(0.02 * 2**number, 1.0)))  # noqa: S311 - not a secret
