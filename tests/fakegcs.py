"""A small Google Cloud Storage: the XML API over loopback, storing in memory, strict about
preconditions, able to fail on demand.

Written after https://cloud.google.com/storage/docs/xml-api/reference-headers,
https://cloud.google.com/storage/docs/xml-api/put-object and
https://cloud.google.com/storage/docs/multipart-uploads.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from time import gmtime, strftime, time_ns
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer

PAGE = 1000
METADATA = "x-goog-meta-"


@dataclass
class Stored:
    data: bytes
    generation: int
    metadata: dict[str, str]

    @property
    def etag(self) -> str:
        return f'"{md5(self.data).hexdigest()}"'


@dataclass
class Fault:
    """What befalls the next requests of a method: a status instead of, or after, doing them."""

    method: str
    status: int
    times: int = 1
    done: bool = False
    """Whether the request is carried out all the same, and only its answer lost."""


@dataclass
class FakeGcs:
    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path with query, bytes that were sent back."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    generation: int = 1_700_000_000_000_000
    endpoint: str = ""

    def fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and fault.times:
                fault.times -= 1
                return fault
        return None


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code


@contextmanager
def fake_gcs(*buckets: str) -> Iterator[FakeGcs]:
    """Serve it while the `with` block runs."""
    fake = FakeGcs({name: {} for name in buckets})
    with LoopbackServer(_Handler, fake=fake) as server:
        fake.endpoint = server.url
        yield fake


class _Handler(LoopbackHandler):
    fake: FakeGcs

    def _serve(self) -> None:
        self.sent = self.body()
        parts = urlsplit(self.path)
        self.query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, key = parts.path[1:].partition("/")
        self.key = unquote(key)
        with self.fake.lock:
            fault = self.fake.fault(self.command)
            try:
                if fault and not fault.done:
                    raise Refused(fault.status, "Injected")
                objects = self.fake.buckets.get(unquote(bucket))
                if objects is None:
                    raise Refused(404, "NoSuchBucket")
                status, data, headers = getattr(self, f"_do_{self.command.lower()}")(objects)
                if fault:
                    raise Refused(fault.status, "Injected")
            except Refused as refused:
                status, headers = refused.status, {"Content-Type": "application/xml"}
                text = f"<Code>{refused.code}</Code><Message>{refused.code}.</Message>"
                data = f"<?xml version='1.0' encoding='UTF-8'?><Error>{text}</Error>".encode()
        self.reply(status, data, headers)
        if self.command != "HEAD":
            self.fake.requests.append((self.command, self.path, len(data)))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _do_put(self, objects: dict[str, Stored]) -> tuple[int, bytes, dict[str, str]]:
        if "uploadId" in self.query:
            parts = self._upload()
            parts[int(self.query["partNumber"])] = self.sent
            return 200, b"", {"ETag": f'"{md5(self.sent).hexdigest()}"'}
        return 200, b"", self._store(objects, self.sent)

    def _do_post(self, objects: dict[str, Stored]) -> tuple[int, bytes, dict[str, str]]:
        if "uploads" in self.query:
            self.fake.generation += 1
            name = f"upload-{self.fake.generation}"
            self.fake.uploads[name] = {}
            text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId>"
            return 200, f"{text}</InitiateMultipartUploadResult>".encode(), {}
        parts = self._upload()
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)", self.sent)]
        if numbers != sorted(parts):
            raise Refused(400, "InvalidPart")
        headers = self._store(objects, b"".join(parts[number] for number in numbers))
        del self.fake.uploads[self.query["uploadId"]]
        text = f"<ETag>{escape(headers['ETag'])}</ETag><Key>{escape(self.key)}</Key>"
        text = f"<CompleteMultipartUploadResult>{text}</CompleteMultipartUploadResult>"
        return 200, text.encode(), headers

    def _upload(self) -> dict[int, bytes]:
        try:
            return self.fake.uploads[self.query["uploadId"]]
        except KeyError:
            raise Refused(404, "NoSuchUpload") from None

    def _store(self, objects: dict[str, Stored], data: bytes) -> dict[str, str]:
        wanted = self.headers.get("x-goog-if-generation-match")
        present = objects[self.key].generation if self.key in objects else 0
        if wanted is not None and int(wanted) != present:
            raise Refused(412, "PreconditionFailed")
        for name in ("If-Match", "If-None-Match"):
            if name in self.headers:
                raise Refused(400, "NotImplemented")  # for writes, the service ignores these
        metadata = {k.lower(): v for k, v in self.headers.items() if k.lower().startswith(METADATA)}
        # Generations of the service are times, too: of the write, in microseconds.
        self.fake.generation = max(self.fake.generation + 1, time_ns() // 1000)
        stored = objects[self.key] = Stored(data, self.fake.generation, metadata)
        return {"ETag": stored.etag, "x-goog-generation": str(stored.generation)}

    def _do_get(self, objects: dict[str, Stored]) -> tuple[int, bytes, dict[str, str]]:
        if not self.key:
            return 200, self._listing(objects), {"Content-Type": "application/xml"}
        if self.key not in objects:
            raise Refused(404, "NoSuchKey")
        stored = objects[self.key]
        headers = {
            "ETag": stored.etag,
            "x-goog-generation": str(stored.generation),
            "Last-Modified": formatdate(stored.generation / 1e6, usegmt=True),
            "Content-Type": "application/octet-stream",
            **stored.metadata,
        }
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not span:
            return 200, stored.data, headers
        start, size = int(span[1]), len(stored.data)
        stop = min(int(span[2]) + 1, size) if span[2] else size
        if start >= size:
            raise Refused(416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return 206, stored.data[start:stop], headers

    def _do_head(self, objects: dict[str, Stored]) -> tuple[int, bytes, dict[str, str]]:
        return self._do_get(objects)

    def _do_delete(self, objects: dict[str, Stored]) -> tuple[int, bytes, dict[str, str]]:
        if "uploadId" in self.query:
            self._upload()
            del self.fake.uploads[self.query["uploadId"]]
        elif objects.pop(self.key, None) is None:
            raise Refused(404, "NoSuchKey")
        return 204, b"", {}

    def _listing(self, objects: dict[str, Stored]) -> bytes:
        """One page of a listing, version 2: https://cloud.google.com/storage/docs/xml-api/get-bucket-list"""
        if self.query.get("list-type") != "2":
            raise Refused(400, "NotImplemented")
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        after = self.query.get("continuation-token", "")
        entries: list[str] = []
        token, last = "", after
        for name in sorted(name for name in objects if name.startswith(prefix)):
            head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            shown = f"{prefix}{head}{delimiter}" if found else name
            if shown <= last and last:
                continue
            if len(entries) == PAGE:
                token = last
                break
            last = shown
            entries.append(_folder(shown) if found else _content(name, objects[name]))
        more = f"<NextContinuationToken>{escape(token)}</NextContinuationToken>" if token else ""
        truncated = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
        return f"<ListBucketResult>{truncated}{more}{''.join(entries)}</ListBucketResult>".encode()


def _folder(name: str) -> str:
    return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"


def _content(name: str, stored: Stored) -> str:
    seconds, micros = divmod(stored.generation, 1_000_000)
    modified = strftime(f"%Y-%m-%dT%H:%M:%S.{micros // 1000:03d}Z", gmtime(seconds))
    return (
        f"<Contents><Key>{escape(name)}</Key><Size>{len(stored.data)}</Size>"
        f"<LastModified>{modified}</LastModified><ETag>{escape(stored.etag)}</ETag></Contents>"
    )
