"""Where a store may be that is no folder: URIs of object storage, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from jupyter_blocks.errors import VariableError

__all__ = ["OBJECT_SCHEMES", "Location", "is_uri", "parse_location"]

OBJECT_SCHEMES = ("s3", "gs", "memory")
_OPTIONS = ("anonymous", "endpoint", "path_style", "region")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class Location:
    """A place in object storage, such as `s3://bucket/prefix?endpoint=https://minio:9000`."""

    scheme: str
    """`s3`, `gs` or `memory`."""
    bucket: str
    prefix: str = ""
    """Without slashes at its ends."""
    options: Mapping[str, str] = field(default_factory=dict)
    """`endpoint` and `region` of the service, `path_style` and `anonymous` (true or false)."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    def flag(self, option: str, default: bool) -> bool:
        """An option that is true or false."""
        text = self.options.get(option, "").lower()
        return _FLAGS[text] if text else default


def is_uri(text: str) -> bool:
    """Whether a setting names a URI, not a folder."""
    return "://" in text


def parse_location(uri: str) -> Location:
    """The place that a URI of object storage names; `VariableError` if it makes no sense."""
    parts = urlsplit(uri)
    if parts.scheme not in OBJECT_SCHEMES:
        raise VariableError(
            f"Variables cannot be kept at '{uri}': nothing is known about '{parts.scheme}://'.",
            hint="Name a folder, s3://bucket/prefix or gs://bucket/prefix.",
        )
    if not parts.netloc or "@" in parts.netloc:
        raise VariableError(
            f"Variables cannot be kept at '{parts.scheme}://': the name of the bucket is missing, "
            "or there is more than a name.",
            hint=f"Write {parts.scheme}://bucket/prefix; credentials come from the environment.",
        )
    prefix = "/".join(part for part in unquote(parts.path).split("/") if part)
    if ".." in prefix.split("/"):
        raise VariableError(f"Variables cannot be kept at '{uri}': '..' has no meaning there.")
    return Location(parts.scheme, parts.netloc, prefix, _options(uri, parts.query))


def _options(uri: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query))
    for name, value in options.items():
        is_flag = name in ("anonymous", "path_style")
        if name not in _OPTIONS or (is_flag and value.lower() not in _FLAGS):
            raise VariableError(
                f"Variables cannot be kept at '{uri}': '{name}={value}' makes no sense.",
                hint=f"Options are {', '.join(_OPTIONS)}; two of them are true or false.",
            )
    return options
