"""Whether stored outputs still belong to the present code, inputs and parameters.

A fingerprint says what a block's outputs depend on: its code with the project's own modules it
imports, the parameters it uses, its settings and the content of its inputs. It is stored with the
outputs; comparing it part by part gives not only yes or no but the reason.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

from jupyter_blocks.block import Block
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.wholefile import read_file

__all__ = ["Fingerprints", "StoredFingerprint"]

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import\b|import[ \t]+([\w.]+))", re.M)
_SHORT = 40


class StoredFingerprint(Protocol):
    """What `difference` needs of a stored manifest."""

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """The fingerprint stored with the outputs."""

    @property
    def content(self) -> str:
        """Digest of the stored values, whatever run made them."""


class Fingerprints:
    """Fingerprints of the blocks of one pipeline, for one set of parameters.

    `texts` are files of the project as an export would write them, where that has not happened yet.
    """

    def __init__(
        self,
        root: Path,
        pipeline: Pipeline,
        parameters: Mapping[str, Any],
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._texts = dict(texts or {})
        self._pipeline = pipeline
        self._parameters = dict(parameters)
        self._modules: dict[str, _Module] = {}
        self._foreign: set[str] = set()
        """Names that are none of the project's own modules."""
        self.files: set[str] = set()
        """Files of code that were looked for so far, whether or not they are there."""

    def of(self, block: Block) -> dict[str, Any]:
        """The fingerprint of a block, without its inputs, which only a run knows."""
        source = self._source(block)
        modules = [self._modules[name] for name in sorted(self._imported(source))]
        fingerprint: dict[str, Any] = {
            "code": source.digest,
            "modules": {module.name: module.digest for module in modules},
            "parameters": self._used_parameters(block, [source, *modules]),
        }
        if block.configuration:
            fingerprint["configuration"] = dict(block.configuration)
        if block.binding is not None and block.binding.together:
            fingerprint["together"] = list(block.binding.together)
        return fingerprint

    def difference(
        self,
        block: Block,
        inputs: Mapping[str, StoredFingerprint | None],
        stored: StoredFingerprint,
    ) -> str:
        """Why the stored outputs are stale, in a few words; empty when they are fresh.

        `inputs` maps each upstream block to its stored outputs (none: it stores nothing).
        """
        then, now = stored.fingerprint, self.of(block)
        if then.get("code") != now["code"]:
            return "its code changed"
        if not set(now.get("together", ())) <= set(then.get("together", ())):
            return "its outputs have to be stored together"
        return (
            _first_difference("module", then.get("modules", {}), now["modules"])
            or _first_difference("parameter", then.get("parameters", {}), now["parameters"])
            or _first_difference(
                "configuration", then.get("configuration", {}), now.get("configuration", {})
            )
            or _input_difference(then.get("inputs", {}), inputs)
        )

    def imported_names(self, blocks: Iterable[Block]) -> set[str]:
        """Full names of all modules that the blocks and their own modules import."""
        names: set[str] = set()
        for block in blocks:
            source = self._source(block)
            modules = [self._modules[name] for name in self._imported(source)]
            names.update(*(module.imports for module in (source, *modules)))
        return names | {name.partition(".")[0] for name in names}

    def _source(self, block: Block) -> _Module:
        key = f"block:{block.name}"
        if key not in self._modules:
            text = block.content
            if text is None:
                file = f"{self._root}/{block.file}"
                self.files.add(file)
                text = read_file(file).decode("utf-8", "replace")
            self._modules[key] = _Module(block.name, text)
        return self._modules[key]

    def _imported(self, source: _Module) -> set[str]:
        """The project's own modules that `source` imports, directly or not."""
        found: set[str] = set()
        pending = [source]
        while pending:
            for name in pending.pop().imports:
                module = self._own_module(name)
                if module is not None and module.name not in found:
                    found.add(module.name)
                    pending.append(module)
        return found

    def _own_module(self, name: str) -> _Module | None:
        if name in self._modules:
            return self._modules[name]
        if name in self._foreign:
            return None
        parts = name.strip(".").split(".")
        if parts[0] == self._root.name:
            parts = parts[1:]
        while parts:
            path = self._root.joinpath(*parts)
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                self.files.add(str(file))
                place = file.relative_to(self._root).as_posix()
                text = self._texts.get(place)
                if text is None and file.is_file():
                    text = file.read_text("utf-8", "replace")
                if text is not None:
                    module = _Module(place, text)
                    self._modules[module.name] = module
                    self._modules[name] = module
                    return module
            parts = parts[:-1]
        self._foreign.add(name)
        return None

    def _used_parameters(self, block: Block, modules: list[_Module]) -> dict[str, Any]:
        if block.binding is None:
            return dict(self._parameters)
        words = frozenset().union(*(module.words for module in modules[1:]))
        return {
            name: value
            for name, value in self._parameters.items()
            if name in block.binding.parameters or name in words
        }


class _Module:
    """The text of one source file and what is worth knowing about it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    @cached_property
    def digest(self) -> str:
        """sha256 of the syntax tree: code that differs in comments or layout only is the same."""
        return _tree_digest(self._text)

    @cached_property
    def imports(self) -> tuple[str, ...]:
        return tuple(self._imports())

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self._text))

    def _imports(self) -> Iterator[str]:
        for match in _IMPORT.finditer(self._text):
            yield match.group(1) or match.group(2)


@lru_cache(maxsize=1024)
def _tree_digest(text: str) -> str:
    words: list[str] = []
    try:
        _describe(ast.parse(text), words)
    except (SyntaxError, ValueError, RecursionError):
        words = [text]
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def _describe(node: ast.AST, words: list[str]) -> None:
    """Append all that a syntax tree says, without its places; several times as fast as `ast.dump`.

    Fields that are empty are left out, so that a newer Python that has more of them agrees.
    """
    words += ("(", type(node).__name__)
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None or value == []:
            continue
        words.append(field)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, ast.AST):
                _describe(item, words)
            else:
                words.append(repr(item))
    words.append(")")


def _first_difference(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for name in sorted(set(then) | set(now), key=str):
        if then.get(name) == now.get(name) and (name in then) == (name in now):
            continue
        if what == "module":
            return f"{name} changed"
        before, after = (_short(values.get(name)) for values in (then, now))
        return f"{what} {name} changed ({before} -> {after})"
    return ""


def _input_difference(
    then: Mapping[str, str], inputs: Mapping[str, StoredFingerprint | None]
) -> str:
    now = {name: stored.content for name, stored in inputs.items() if stored is not None}
    for name in sorted(set(then) | set(now)):
        if then.get(name) != now.get(name):
            return f"input '{name}' changed"
    return ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."
