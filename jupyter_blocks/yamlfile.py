"""YAML text with positions: what a file says, and on which line it says it.

Reading is the fast path; the line of a value is looked up only when somebody asks for it. What the
keys mean is left to the callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jupyter_blocks.collector import collector_paused
from jupyter_blocks.errors import Problem, ValidationError

__all__ = ["YamlFile", "parse_yaml", "read_yaml"]

# The loader written in C is about eight times as fast; a few builds of PyYAML lack it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TEXT = "tag:yaml.org,2002:str"
_MAPPING = "tag:yaml.org,2002:map"
_SEQUENCE = "tag:yaml.org,2002:seq"


@dataclass(frozen=True)
class YamlFile:
    """One parsed YAML document."""

    place: str
    """How people know the file: its path relative to the project."""
    value: Any
    """Plain Python data; None for an empty file."""
    repeated_keys: tuple[tuple[str, int], ...]
    """Keys that one mapping holds twice (the last one counts), with the line of the repetition."""
    _root: yaml.Node | None

    def line(self, *keys: str | int) -> int | None:
        """1-based line of the value at `keys`, or of the nearest existing parent."""
        node, mark = self._root, None
        if node is not None:
            mark = node.start_mark
        for key in keys:
            found = _child(node, key)
            if found is None:
                break
            mark, node = found
        return mark.line + 1 if mark is not None else None


def read_yaml(path: Path, place: str) -> YamlFile:
    """Parse the file at `path`; raises `ValidationError` when it cannot be read or parsed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValidationError(
            [Problem("unreadable-file", f"The file cannot be read: {reason}.", path=place)]
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError([_not_utf8(data, error, place)]) from None
    return parse_yaml(text, place)


def parse_yaml(text: str, place: str) -> YamlFile:
    """Parse one YAML document; raises `ValidationError` with line and column of the mistake."""
    try:
        return _parse(text, place)
    except yaml.MarkedYAMLError as error:
        problem = _syntax_problem(text, error, place)
    except yaml.YAMLError as error:
        message = f"Not valid YAML: {' '.join(str(error).split())}."
        problem = Problem("bad-yaml", message, path=place)
    except RecursionError:
        message = "Not valid YAML: it is nested too deeply."
        problem = Problem("bad-yaml", message, path=place)
    except ValueError as error:
        problem = _value_problem(text, error, place)
    raise ValidationError([problem])


def _parse(text: str, place: str) -> YamlFile:
    loader = _Loader(text)
    repeated: list[tuple[str, int]] = []
    try:
        with collector_paused():  # it would walk a million new nodes again and again
            root = loader.get_single_node()
            value = None if root is None else _value(text, root, loader, repeated)
    finally:
        loader.dispose()
    return YamlFile(place, value, tuple(repeated), root)


def _value(text: str, root: yaml.Node, loader: Any, repeated: list[tuple[str, int]]) -> Any:
    """The data of a document; whatever is not plain text, list or mapping the loader builds."""
    construct = loader.construct_object
    if "&" in text or "<<" in text:
        # Anchors and merged mappings: values may be shared, which only the loader knows.
        repeated.extend(_all_repetitions(root))
        return loader.construct_document(root)

    def build(node: yaml.Node) -> Any:
        kind, tag = node.__class__, node.tag
        if kind is yaml.ScalarNode:
            return node.value if tag == _TEXT else construct(node)
        if kind is yaml.MappingNode and tag == _MAPPING:
            return build_mapping(node)
        if kind is yaml.SequenceNode and tag == _SEQUENCE:
            return [build(item) for item in node.value]
        return construct(node, deep=True)

    def build_mapping(node: yaml.Node) -> Any:
        try:
            pairs = {build(key): build(value) for key, value in node.value}
        except TypeError:
            return construct(node, deep=True)  # says which key is a list or a mapping
        if len(pairs) < len(node.value):
            repeated.extend(_repetitions(node))
        return pairs

    return build(root)


def _child(node: yaml.Node | None, key: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        # The last of two equal keys is the one that counts.
        for key_node, value in reversed(node.value):
            if key_node.value == str(key):
                return key_node.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        item = node.value[key]
        return item.start_mark, item
    return None


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node once, parents before children."""
    seen: set[int] = set()
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)


def _all_repetitions(root: yaml.Node) -> Iterator[tuple[str, int]]:
    for node in _nodes(root):
        if isinstance(node, yaml.MappingNode):
            yield from _repetitions(node)


def _repetitions(node: yaml.Node) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            continue
        if key.value in seen:
            yield key.value, key.start_mark.line + 1
        seen.add(key.value)


def _syntax_problem(text: str, error: yaml.MarkedYAMLError, place: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Problem("bad-yaml", f"Not valid YAML: {what}.", path=place)
    return Problem(
        "bad-yaml",
        f"Not valid YAML at column {mark.column + 1}: {what}.",
        _syntax_hint(text, mark, what),
        path=place,
        line=mark.line + 1,
    )


def _syntax_hint(text: str, mark: yaml.Mark, what: str) -> str:
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: mark.column + 1]:
        return "YAML is indented with spaces, not with tabs."
    if "{{" in line:
        return 'Put text that holds {{ }} in quotes: "{{ ... }}".'
    if "mapping values are not allowed" in what:
        return "Put text that holds ': ' in quotes, and indent the keys of one mapping alike."
    if "constructor" in what or "tag" in what:
        return "Only plain data is read: text, numbers, true, false, null, dates, lists, mappings."
    return ""


def _value_problem(text: str, error: ValueError, place: str) -> Problem:
    """A scalar such as `2024-13-01` that looks like a date or a number and is none."""
    loader = _Loader(text)
    try:
        for node in _nodes(loader.get_single_node()):
            if isinstance(node, yaml.ScalarNode) and not _constructs(loader, node):
                return Problem(
                    "bad-yaml",
                    f"'{node.value}' cannot be read: {error}.",
                    "Put it in quotes if it is meant as text.",
                    path=place,
                    line=node.start_mark.line + 1,
                )
    finally:
        loader.dispose()
    return Problem("bad-yaml", f"Not valid YAML: {error}.", path=place)


def _constructs(loader: Any, node: yaml.Node) -> bool:
    try:
        loader.construct_object(node)
    except ValueError:
        return False
    return True


def _not_utf8(data: bytes, error: UnicodeDecodeError, place: str) -> Problem:
    return Problem(
        "bad-yaml",
        f"Not valid YAML: byte {data[error.start]:#04x} is not UTF-8.",
        "Save the file in UTF-8.",
        path=place,
        line=data.count(b"\n", 0, error.start) + 1,
    )
