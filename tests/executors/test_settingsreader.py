"""Settings of executors, read with their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.base import ExecutorContext
from jupyter_blocks.executors.cloud_run.settings import JobSettings
from jupyter_blocks.executors.ecs.settings import EcsSettings
from jupyter_blocks.executors.kubernetes.settings import read_settings
from jupyter_blocks.executors.outgoing import Outgoing
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.executors.settingsreader import SettingsReader
from jupyter_blocks.testing.containers import ContainerHost
from tests.executors.ecscases import task
from tests.executors.processcloud import ProcessBackend, ProcessCloud

Read = Callable[[SettingsReader], Any]
READ: Mapping[str, Read] = {
    "text": lambda reading: reading.text("key"),
    "choice": lambda reading: reading.choice("key", ("gen1", "gen2")),
    "flag": lambda reading: reading.flag("key"),
    "number": lambda reading: reading.number("key", least=0.5),
    "whole": lambda reading: reading.whole("key"),
    "texts": lambda reading: reading.texts("key"),
    "mapping": lambda reading: reading.mapping("key"),
    "mappings": lambda reading: reading.mappings("key"),
    "pairs": lambda reading: reading.pairs("key"),
}


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("text", " a ", "a"),
        ("text", 5, "5"),
        ("text", None, ""),
        ("choice", "gen2", "gen2"),
        ("choice", None, ""),
        ("flag", True, True),
        ("flag", "False", False),
        ("flag", "ENABLED", True),
        ("flag", None, None),
        ("number", "2.5", 2.5),
        ("number", 1, 1.0),
        ("number", None, None),
        ("whole", "2", 2),
        ("whole", 4.0, 4),
        ("texts", "a, b", ("a", "b")),
        ("texts", ["a", 1], ("a", "1")),
        ("texts", None, ()),
        ("mapping", {"a": 1}, {"a": 1}),
        ("mapping", None, None),
        ("mappings", [{"a": 1}], ({"a": 1},)),
        ("pairs", {"a": 1}, {"a": "1"}),
        ("pairs", [{"key": "a", "value": 1}], {"a": "1"}),
        ("pairs", None, {}),
    ],
)
def test_values_are_read(kind: str, value: Any, found: Any) -> None:
    """As YAML has them, or as a template left them."""
    reading = SettingsReader("far", {"key": value})
    assert READ[kind](reading) == found
    reading.check()


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("text", True, "'key' must be a text, not true"),
        ("text", {"a": 1}, "'key' must be a text, not a mapping"),
        ("choice", "gen3", "'key' must be gen1 or gen2, not 'gen3'"),
        ("flag", "maybe", "'key' must be true or false, not 'maybe'"),
        ("number", "many", "'key' must be a number of at least 0.5, not 'many'"),
        ("number", "nan", "'key' must be a number of at least 0.5, not 'nan'"),
        ("number", float("inf"), "'key' must be a number of at least 0.5, not inf"),
        ("number", 0.25, "'key' must be a number of at least 0.5, not 0.25"),
        ("whole", True, "'key' must be a whole number of at least 0, not true"),
        ("whole", 1.5, "'key' must be a whole number of at least 0, not 1.5"),
        ("texts", {"a": 1}, "'key' must be a list of texts, not a mapping"),
        ("mapping", [], "'key' must be a mapping, not a list"),
        ("mappings", ["a"], "'key' must be a list of mappings, not a list"),
        ("pairs", "hunter2", "'key' must be a mapping of names to texts"),
    ],
)
def test_mistakes_are_named(kind: str, value: Any, words: str) -> None:
    """With the executor, the setting, what is expected and what was found."""
    reading = SettingsReader("far", {"key": value})
    READ[kind](reading)
    with pytest.raises(ExecutorError) as caught:
        reading.check()
    assert f"Settings of executor 'far': {words}." in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    """And the first advice there is."""
    reading = SettingsReader("far", {"cpu": "many", "regoin": None})
    reading.number("cpu")
    reading.refuse_unknown(["cpu", "region"])
    with pytest.raises(ExecutorError) as caught:
        reading.check()
    assert str(caught.value) == (
        "Settings of executor 'far': 'cpu' must be a number of at least 0, not 'many'; 'regoin' "
        "is not known. Did you mean 'region'?"
    )


@pytest.mark.parametrize(
    ("name", "read"),
    [("ecs", EcsSettings.read), ("gcp_cloud_run", JobSettings.of), ("k8s", read_settings)],
)
def test_the_same_mistake_is_said_alike(
    name: str, read: Callable[[Mapping[str, Any]], Any]
) -> None:
    """By all executors."""
    with pytest.raises(ExecutorError) as caught:
        read({"image": ["a"]})
    assert (
        str(caught.value) == f"Settings of executor '{name}': 'image' must be a text, not a list."
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secrets": "PASSWORD=hunter2"}, "'secrets' must be a mapping of names to texts"),
        ({"environment": ["A=hunter2"]}, "'environment' must be a mapping of names to texts"),
        ({"code": "sent"}, "'code' must be bundle or image, not 'sent'"),
        ({"max_code_mib": "much"}, "'max_code_mib' must be a number of at least 0, not 'much'"),
    ],
)
def test_settings_of_all_remote_executors(settings: dict[str, Any], words: str) -> None:
    """They are read in one place, before anything is sent."""
    with pytest.raises(ExecutorError) as caught:
        Outgoing("far", ExecutorContext("", settings)).check(task())
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["calls_per_s", "start_timeout_s"])
def test_settings_of_the_executor_itself(key: str) -> None:
    """A number that is none is named when the executor is opened."""
    backend = ProcessBackend(ProcessCloud(ContainerHost({})))
    with pytest.raises(ExecutorError, match=f"'{key}' must be a number of at least 0, not 'soon'"):
        RemoteExecutor(backend, ExecutorContext("", {key: "soon"}))
