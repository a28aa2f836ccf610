"""Fields of Kubernetes objects, as the model classes of the official client have them.

Settings written in Python's names (`image_pull_policy`, as Mage writes them) or in those of YAML
manifests (`imagePullPolicy`) become the latter, and every field that Kubernetes does not know is
found before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from jupyter_blocks.settings import did_you_mean, listed, shown

__all__ = ["Fault", "checked", "parse_quantity"]

_LIST = re.compile(r"[Ll]ist\[(.+)\]\Z")
_MAP = re.compile(r"[Dd]ict[\[(]str, (.+)[\])]\Z")
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "datetime": (str,),
}
_WORDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(m|[kMGTPE]i?|Ki)?\Z")
_UNITS = {
    "": 1.0,
    "m": 1e-3,
    **{name: 1000.0**power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{name: 1024.0**power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}


@dataclass(frozen=True)
class Fault:
    """One thing that Kubernetes would not take."""

    at: str
    """Where: `spec.template.spec.containers[0].image`."""
    message: str
    hint: str = ""
    is_unknown_field: bool = False


@dataclass(frozen=True)
class _Field:
    name: str
    """As JSON has it."""
    kind: str
    is_required: bool


def checked(
    kind: str, value: Any, *, at: str = "", python_names: bool = False, whole: bool = True
) -> tuple[Any, list[Fault]]:
    """`value` as an object of a kind (`V1PodSpec`) in JSON's names, and what is wrong with it.

    `python_names`: the client's names of fields are taken too. Without `whole` nothing is
    required.
    """
    faults: list[Fault] = []
    reader = _Reader(faults, python_names=python_names, whole=whole)
    return reader.read(kind, value, at), faults


def parse_quantity(text: str) -> float:
    """The number that `1500m`, `2`, `512Mi` stand for; `ValueError` for anything else."""
    match = _QUANTITY.match(text)
    if match is None:
        raise ValueError(f"'{text}' is no quantity such as 500m, 2 or 512Mi")
    return float(match[1]) * _UNITS[match[2] or ""]


@dataclass(frozen=True)
class _Reader:
    faults: list[Fault]
    python_names: bool
    whole: bool

    def read(self, kind: str, value: Any, at: str) -> Any:
        if kind == "object" or value is None:
            return value
        if match := _LIST.match(kind):
            return self._list(match[1], value, at)
        if match := _MAP.match(kind):
            return self._map(match[1], value, at)
        if kind in _PLAIN:
            return self._plain(kind, value, at)
        return self._object(kind, value, at)

    def _list(self, kind: str, value: Any, at: str) -> Any:
        if not isinstance(value, list | tuple):
            return self._wrong(value, at, "a list")
        return [self.read(kind, item, f"{at}[{index}]") for index, item in enumerate(value)]

    def _map(self, kind: str, value: Any, at: str) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong(value, at, "a mapping")
        return {str(key): self.read(kind, item, f"{at}.{key}") for key, item in value.items()}

    def _plain(self, kind: str, value: Any, at: str) -> Any:
        is_flag = isinstance(value, bool) and kind != "bool"
        if is_flag or not isinstance(value, _PLAIN[kind]):
            return self._wrong(value, at, _WORDS.get(kind, "a time"))
        return value

    def _object(self, kind: str, value: Any, at: str) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong(value, at, "a mapping")
        fields = _fields(kind)
        names = {field.name: field for field in fields.values()}
        if self.python_names:
            names = {**fields, **names}
        found: dict[str, Any] = {}
        for key, item in value.items():
            place = f"{at}.{key}" if at else str(key)
            if key not in names:
                hint = did_you_mean(str(key), names) or f"Known: {listed(names)}."
                self.faults.append(Fault(place, "is not known to Kubernetes", hint, True))
            elif item is not None:
                found[names[key].name] = self.read(names[key].kind, item, place)
        if self.whole:
            self._require(fields, found, at)
        return found

    def _require(self, fields: Mapping[str, _Field], found: Mapping[str, Any], at: str) -> None:
        for field in fields.values():
            if field.is_required and field.name not in found:
                self.faults.append(Fault(f"{at}.{field.name}".lstrip("."), "is required"))

    def _wrong(self, value: Any, at: str, wanted: str) -> Any:
        self.faults.append(Fault(at, f"must be {wanted}, not {shown(value)}"))
        return value


@cache
def _fields(kind: str) -> dict[str, _Field]:
    """Fields of a model class by their names in Python."""
    models = import_module("kubernetes.client")
    model = getattr(models, kind, None) or getattr(models, f"Core{kind}")
    required = _required(model)
    return {
        attribute: _Field(model.attribute_map[attribute], type_name, attribute in required)
        for attribute, type_name in model.openapi_types.items()
    }


def _required(model: Any) -> set[str]:
    """Names of the fields without which there is no object of this class."""
    if hasattr(model, "model_fields"):
        return {name for name, field in model.model_fields.items() if field.is_required()}
    # Clients before version 36 know it only in their setters.
    configuration = import_module("kubernetes.client").Configuration()
    configuration.client_side_validation = False
    empty = model(local_vars_configuration=configuration)
    configuration.client_side_validation = True
    return {name for name in model.openapi_types if _refuses_none(empty, name)}


def _refuses_none(empty: Any, name: str) -> bool:
    try:
        setattr(empty, name, None)
    except ValueError:
        return True
    return False
