"""Copies of exported files as they were written, so that hand-made changes can be told later on.

They lie in `.blocks/exported/`, are local to this machine, and nothing depends on them: without a
copy a conflict is shown without its base.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from jupyter_blocks.project import ensure_private

__all__ = ["exported_text", "keep_exported"]


def keep_exported(state_dir: Path, texts: Mapping[str, str]) -> None:
    """Keep what was exported: project-relative path -> text. A folder that is read-only is fine."""
    with suppress(OSError):
        folder = ensure_private(state_dir) / "exported"
        for path, text in texts.items():
            file = folder / path
            data = text.encode()
            if not file.is_file() or file.read_bytes() != data:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)


def exported_text(state_dir: Path, path: str) -> str | None:
    """What was exported to `path` the last time; none if that is not known."""
    try:
        return (state_dir / "exported" / path).read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
