"""Folders and URIs, and what is said of those that make no sense."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.locations import parse_location
from jupyter_blocks.variables.openstorage import open_storage


def test_storages_are_opened_by_folder_or_uri(tmp_path: Path) -> None:
    """Slashes at the ends of a prefix do not matter."""
    opened = [open_storage(tmp_path / "a b"), open_storage(f"file://{tmp_path}/a%20b")]
    assert [repr(storage) for storage in opened] == [f"LocalStorage('{tmp_path}/a b')"] * 2
    assert repr(open_storage("memory://here/a/b/")) == "ObjectStorage('memory://here/a/b')"


def test_a_location_holds_bucket_prefix_and_options() -> None:
    """Options say where a service is that is not the vendor's."""
    location = parse_location("s3://b/a//c/?endpoint=http://minio:9000&path_style=false")
    assert (location.scheme, location.bucket, location.prefix) == ("s3", "b", "a/c")
    assert location.options["endpoint"] == "http://minio:9000"
    assert location.flag("path_style", True) is False
    assert location.flag("anonymous", True) is True
    assert str(location) == "s3://b/a/c"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ftp://b/x", r"nothing is known about 'ftp://'.*s3://bucket/prefix"),
        ("s3:///x", "name of the bucket is missing"),
        ("gs://", "Write gs://bucket/prefix"),
        ("s3://key:secret@b/x", "credentials come from the environment"),
        ("s3://b/x?regoin=eu", "'regoin=eu' makes no sense.* Options are anonymous, endpoint"),
        ("s3://b/x?anonymous=maybe", "'anonymous=maybe' makes no sense"),
        ("s3://b/../x", "'..' has no meaning"),
    ],
)
def test_uris_that_make_no_sense_are_refused(uri: str, message: str) -> None:
    """With what to write instead; secrets are not repeated."""
    with pytest.raises(VariableError, match=message) as caught:
        open_storage(uri)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("uri", "extra"), [("s3://b/x", "aws"), ("gs://b/x", "gcp")])
def test_a_missing_package_is_named_with_its_extra(
    uri: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Object storage is optional."""
    for name in ("objectstorage", "buckets", "objecterrors"):
        monkeypatch.delitem(sys.modules, f"jupyter_blocks.variables.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(VariableError, match=rf"package obstore.*blocks\[{extra}\]"):
        open_storage(uri)
