"""A pipeline's metadata.yaml is read fully, and everything wrong with it is said at once."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_blocks.block import (
    BLOCK_TYPES,
    Binding,
    Block,
    RetryPolicy,
    SensorPolicy,
    Source,
)
from jupyter_blocks.errors import Problem, UsageError
from jupyter_blocks.pipeline import Pipeline, pipeline_yaml, read_pipeline

MAGE = """\
blocks:
- all_upstream_blocks_executed: true
  color: null
  configuration: {}
  downstream_blocks: [fill_in]
  executor_config: null
  executor_type: local_python
  has_callback: false
  language: python
  name: load titanic
  retry_config: null
  status: executed
  timeout: null
  type: data_loader
  upstream_blocks: []
  uuid: load_titanic
- configuration: {rows: 3}
  downstream_blocks: []
  executor_type: "{{ env_var('MY_EXECUTOR') }}"
  executor_config: {cpu: 512}
  retry_config: {retries: 3, delay: 1}
  timeout: 60
  type: transformer
  upstream_blocks: [load_titanic]
  uuid: fill_in
- {uuid: notes, type: markdown, language: markdown, upstream_blocks: []}
- {uuid: try_out, type: scratchpad, upstream_blocks: []}
callbacks:
- {uuid: tell, type: callback, upstream_blocks: [fill_in]}
conditionals:
- {uuid: weekday, type: conditional, upstream_blocks: [fill_in]}
widgets:
- {uuid: chart, type: chart, upstream_blocks: [fill_in]}
concurrency_config: {block_run_limit: 4}
created_at: '2023-01-01 00:00:00.000000'
data_integration: null
description: null
executor_config: {}
executor_count: 1
executor_type: k8s
extensions: {}
name: titanic
notification_config: {}
retry_config: {max_delay: 30}
tags: []
type: python
uuid: titanic
variables: {month: 1, days: [1, 2]}
variables_dir: /home/src/mage_data/titanic
"""
FOLDERS = {kind: block_type.folder for kind, block_type in BLOCK_TYPES.items()}


def write(root: Path, text: str, *files: str, name: str = "p") -> Path:
    """A project with one pipeline and the given (empty) files; gives the metadata.yaml."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("", "utf-8")
    path = root / "pipelines" / name / "metadata.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


def read(root: Path, text: str, *files: str) -> Pipeline:
    """The pipeline of a text without mistakes."""
    pipeline, problems = read_pipeline(write(root, text, *files), project=root)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert pipeline is not None
    return pipeline


def problems_of(root: Path, text: str, *files: str) -> list[Problem]:
    """The problems of a text."""
    return read_pipeline(write(root, text, *files), project=root)[1]


@pytest.fixture
def titanic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline as Mage writes it."""
    monkeypatch.setenv("MY_EXECUTOR", "ecs")
    files = (
        "data_loaders/load_titanic.py",
        "transformers/fill_in.py",
        "callbacks/tell.py",
        "conditionals/weekday.py",
    )
    return read(tmp_path, MAGE, *files)


def test_a_pipeline_of_mage_is_read(titanic: Pipeline) -> None:
    """Name of the folder, variables, executor and limits; what never runs is left out."""
    assert titanic.name == "p"
    assert titanic.type == "python"
    assert [block.name for block in titanic.blocks] == ["load_titanic", "fill_in"]
    assert titanic.variables == {"month": 1, "days": [1, 2]}
    assert (titanic.executor_type, titanic.concurrency_limit) == ("k8s", 4)
    assert titanic.settings["created_at"] == "2023-01-01 00:00:00.000000"
    assert titanic.warnings == ()


def test_a_block_of_mage_is_read(titanic: Pipeline) -> None:
    """Every key that means something for running a block arrives in the block."""
    assert titanic.block("fill_in") == Block(
        name="fill_in",
        type=BLOCK_TYPES["transformer"],
        upstream=("load_titanic",),
        file="transformers/fill_in.py",
        label="fill_in",
        executor_type="ecs",
        executor_config={"cpu": 512},
        retry=RetryPolicy(3, 1.0, 30.0, True),
        timeout_s=60.0,
        configuration={"rows": 3},
        conditions=("conditionals/weekday.py",),
        callbacks=("callbacks/tell.py",),
        line=17,
    )
    assert titanic.block("load_titanic").label == "load titanic"


def test_the_graph_follows_upstream_blocks(titanic: Pipeline) -> None:
    """The graph is that of the blocks, in their order."""
    assert titanic.graph.order == ("load_titanic", "fill_in")
    assert titanic.graph.ancestors("fill_in") == {"load_titanic"}


def test_an_unknown_block_is_answered_with_the_closest(titanic: Pipeline) -> None:
    """A slip of the pen is put right; otherwise the blocks are listed."""
    with pytest.raises(UsageError, match=r"has no block 'fill'\. Did you mean 'fill_in'"):
        titanic.block("fill")
    with pytest.raises(UsageError, match="Blocks: fill_in, load_titanic"):
        titanic.block("zzz")


RETRIES: list[tuple[RetryPolicy | None, str, str, RetryPolicy | None]] = [
    (None, "{}", "null", None),
    (None, "{}", "{retries: 2}", RetryPolicy(2, 5.0, 60.0, True)),
    (None, "{retries: 1, delay: 9}", "{retries: 2}", RetryPolicy(2, 9.0, 60.0, True)),
    (
        RetryPolicy(4, 7.0),
        "{delay: 9}",
        "{exponential_backoff: false}",
        RetryPolicy(4, 9, 60, False),
    ),
    (RetryPolicy(4, 7.0), "null", "null", RetryPolicy(4, 7.0)),
    (RetryPolicy(4), "{}", "{retries: 0, max_delay: 0}", RetryPolicy(0, 5.0, 0.0)),
]


@pytest.mark.parametrize(("project", "pipeline", "block", "expected"), RETRIES)
def test_retries_are_merged_key_by_key(
    tmp_path: Path,
    project: RetryPolicy | None,
    pipeline: str,
    block: str,
    expected: RetryPolicy | None,
) -> None:
    """The project speaks first, then pipeline and block; Mage's defaults fill the rest."""
    path = write(
        tmp_path,
        f"retry_config: {pipeline}\nblocks:\n- {{uuid: a, type: custom, retry_config: {block}}}\n",
        "custom/a.py",
    )
    found, problems = read_pipeline(path, project=tmp_path, defaults=project)
    assert problems == []
    assert found is not None
    assert found.block("a").retry == expected


ENTRY = "blocks:\n- {uuid: load, type: data_loader}\n"

MISTAKES: dict[str, tuple[str, str, int | None, str]] = {
    # name: (text, code, line, what the message and hint say)
    "empty": ("", "not-a-mapping", None, "is empty"),
    "list": ("- a\n- b\n", "not-a-mapping", 1, "not a mapping"),
    "bad yaml": ("blocks:\n- uuid: a\n   type: b\n", "bad-yaml", 3, "column 8"),
    "blocks is text": ("blocks: many\n", "wrong-type", 1, "'blocks' must be a list"),
    "entry is text": ("blocks:\n- a\n", "wrong-type", 2, "Entry 1 of 'blocks' must be a mapping"),
    "no uuid": (
        "blocks:\n- name: x\n  type: custom\n",
        "missing-uuid",
        2,
        "(named 'x') has no uuid",
    ),
    "uuid is a number": ("blocks:\n- uuid: 7\n  type: custom\n", "wrong-type", 2, "must be a text"),
    "uuid leaves": (
        "blocks:\n- uuid: ../x\n  type: custom\n",
        "bad-name",
        2,
        "outside the project",
    ),
    "no type": ("blocks:\n- uuid: a\n", "unknown-block-type", 2, "has no type"),
    "type slip": (
        "blocks:\n- uuid: a\n  type: tranformer\n",
        "unknown-block-type",
        3,
        "Did you mean 'transformer'?",
    ),
    "dbt": ("blocks:\n- uuid: a\n  type: dbt\n", "unsupported-block-type", 3, "['dbt', 'run']"),
    "dynamic child": (
        "blocks:\n- uuid: a\n  type: dynamic_child\n",
        "unsupported-block-type",
        3,
        "loops over",
    ),
    "sql": (
        "blocks:\n- uuid: a\n  type: data_loader\n  language: sql\n",
        "unsupported-language",
        4,
        "pandas.read_sql or DuckDB",
    ),
    "r": (
        "blocks:\n- uuid: a\n  type: custom\n  language: r\n",
        "unsupported-language",
        4,
        "Rscript",
    ),
    "twice": (ENTRY + "- {uuid: load, type: custom}\n", "duplicate-block", 3, "first in line 2"),
    "unknown upstream": (
        ENTRY + "- uuid: b\n  type: custom\n  upstream_blocks:\n  - laod\n",
        "unknown-upstream",
        6,
        "Did you mean 'load'?",
    ),
    "upstream never runs": (
        "blocks:\n- {uuid: md, type: markdown}\n- {uuid: b, type: custom, upstream_blocks: [md]}\n",
        "unknown-upstream",
        3,
        "never runs",
    ),
    "own upstream": (
        "blocks:\n- {uuid: b, type: custom, upstream_blocks: [b]}\n",
        "cycle",
        2,
        "(b -> b)",
    ),
    "upstream twice": (
        ENTRY + "- {uuid: b, type: custom, upstream_blocks: [load, load]}\n",
        "duplicate-upstream",
        3,
        "twice",
    ),
    "cycle": (
        (
            "blocks:\n- uuid: a\n  type: custom\n  upstream_blocks: [c]\n"
            "- {uuid: b, type: custom, upstream_blocks: [a]}\n"
            "- {uuid: c, type: custom, upstream_blocks: [b]}\n"
        ),
        "cycle",
        4,
        "a -> b -> c -> a",
    ),
    "upstream is text": (
        "blocks:\n- {uuid: b, type: custom, upstream_blocks: load}\n",
        "wrong-type",
        2,
        "'upstream_blocks' of block 'b' must be a list of names, not 'load'",
    ),
    "retry is a number": (
        "blocks:\n- uuid: b\n  type: custom\n  retry_config: 3\n",
        "wrong-type",
        4,
        "'retry_config' of block 'b' must be a mapping",
    ),
    "retries is text": (
        "blocks:\n- uuid: b\n  type: custom\n  retry_config:\n    retries: many\n",
        "wrong-type",
        5,
        "'retries' of block 'b' must be a whole number of at least 0, not 'many'",
    ),
    "pipeline retry": ("retry_config: {delay: -1}\n", "wrong-type", 1, "a number of at least 0"),
    "timeout is text": (
        "blocks:\n- {uuid: b, type: custom, timeout: 5 min}\n",
        "wrong-type",
        2,
        "'timeout' of block 'b' must be a number",
    ),
    "timeout is true": (
        "blocks:\n- {uuid: b, type: custom, timeout: true}\n",
        "wrong-type",
        2,
        "not true",
    ),
    "executor_config is a list": (
        "blocks:\n- {uuid: b, type: custom, executor_config: [a]}\n",
        "wrong-type",
        2,
        "must be a mapping of keys to values, not a list",
    ),
    "executor_type is a number": ("executor_type: 5\n", "wrong-type", 1, "must be a text"),
    "executor template": (
        "executor_type: \"{{ nope('x') }}\"\n",
        "bad-template",
        None,
        "'nope' is undefined",
    ),
    "variables is a list": (
        "variables:\n- a: 1\n",
        "wrong-type",
        1,
        "'variables' must be a mapping",
    ),
    "variables hold a set": (
        "variables:\n  a: !!set {x}\n",
        "wrong-type",
        2,
        "'variables.a' holds {'x'}, which is not plain data",
    ),
    "limit is zero": (
        "concurrency_config:\n  block_run_limit: 0\n",
        "wrong-type",
        2,
        "at least 1",
    ),
    "streaming": ("type: streaming\n", "unsupported-pipeline-type", 1, "in batches"),
    "integration": ("type: integration\n", "unsupported-pipeline-type", 1, "'integration'"),
    "pipeline type slip": (
        "type: pysprak\n",
        "unsupported-pipeline-type",
        1,
        "Did you mean 'pyspark'?",
    ),
    "dynamic": (
        "blocks:\n- uuid: b\n  type: custom\n  configuration:\n    dynamic: true\n",
        "dynamic-block",
        5,
        "loop over it in the next block",
    ),
    "dynamic mapping": (
        "blocks:\n- {uuid: b, type: custom, configuration: {dynamic: {parent: x}}}\n",
        "dynamic-block",
        2,
        "",
    ),
    "missing file": (
        "blocks:\n- uuid: nope\n  type: custom\n",
        "missing-file",
        2,
        "looked for custom/nope.py",
    ),
    "missing condition": (
        ENTRY + "conditionals:\n- {uuid: c, type: conditional, upstream_blocks: [load]}\n",
        "missing-file",
        2,
        "uses conditionals/c.py, which does not exist",
    ),
    "condition of nothing": (
        ENTRY + "conditionals:\n- {uuid: c, type: conditional, upstream_blocks: [lod]}\n",
        "unknown-upstream",
        4,
        "Did you mean 'load'?",
    ),
    "replica of nothing": (
        ENTRY + "- {uuid: r, type: data_loader, replicated_block: lod}\n",
        "unknown-block",
        3,
        "Did you mean 'load'?",
    ),
    "own pipeline key": (
        "jupyter_blocks:\n  notebok: a.ipynb\n",
        "unknown-setting",
        2,
        "Did you mean 'notebook'?",
    ),
    "own block key": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {outputz: [a]}}\n",
        "unknown-setting",
        2,
        "Did you mean 'outputs'?",
    ),
    "own resources": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {resources: {memory: 5}}}\n",
        "unknown-setting",
        2,
        "Did you mean 'memory_mib'?",
    ),
    "memory is text": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {resources: {memory_mib: 1G}}}\n",
        "wrong-type",
        2,
        "a whole number of at least 1",
    ),
    "half a GPU": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {resources: {gpu: 0.5}}}\n",
        "wrong-type",
        2,
        "a whole number of at least 1",
    ),
    "sensor key": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {poll_interval: 5}}\n",
        "unknown-setting",
        2,
        "is for sensors",
    ),
    "inputs without outputs": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {inputs: {a: x.y}}}\n",
        "wrong-type",
        2,
        "no 'outputs'",
    ),
    "input of no upstream": (
        ENTRY + "- {uuid: b, type: custom, jupyter_blocks: {outputs: [], inputs: {a: load.x}}}\n",
        "unknown-input",
        3,
        "Add 'load' to upstream_blocks",
    ),
    "input that does not exist": (
        (
            "blocks:\n- {uuid: a, type: custom, jupyter_blocks: {outputs: [x, y]}}\n"
            "- uuid: b\n  type: custom\n  upstream_blocks: [a]\n"
            "  jupyter_blocks:\n    outputs: []\n    inputs:\n      df: a.z\n"
        ),
        "unknown-input",
        9,
        "Its outputs: x, y",
    ),
    "output is no name": (
        "blocks:\n- {uuid: b, type: custom, jupyter_blocks: {outputs: [a-b]}}\n",
        "wrong-type",
        2,
        "'a-b' in 'outputs' of block 'b' is not a Python name",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_with_its_place_and_the_way_out(tmp_path: Path, name: str) -> None:
    """Each mistake gives exactly one error of its own, with file, line and what to do."""
    text, code, line, says = MISTAKES[name]
    files = ("data_loaders/load.py", *(f"custom/{block}.py" for block in "abc"))
    problems = problems_of(tmp_path, text, *files)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert [problem.code for problem in errors] == [code]
    (problem,) = errors
    assert problem.path == "pipelines/p/metadata.yaml"
    assert problem.pipeline == "p"
    if line is not None:
        assert problem.line == line
    assert says in str(problem)


def test_all_mistakes_come_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """Nobody has to run the check again and again to see the next mistake."""
    text = """\
        blocks:
        - uuid: a
          type: loader_of_data
        - uuid: b
          type: custom
          timeout: soon
          upstream_blocks: [x]
        - uuid: b
          type: custom
        - uuid: c
          type: transformer
        """
    problems = problems_of(tmp_path, text, "custom/b.py")
    assert [(problem.code, problem.line) for problem in problems] == [
        ("unknown-block-type", 3),
        ("wrong-type", 6),
        ("unknown-upstream", 7),
        ("duplicate-block", 8),
        ("missing-file", 10),
    ]


def test_a_readable_graph_is_given_in_spite_of_mistakes(tmp_path: Path) -> None:
    """A missing file does not keep the graph from being drawn; a cycle does."""
    path = write(tmp_path, "blocks: [{uuid: a, type: custom}]\n")
    pipeline, problems = read_pipeline(path, project=tmp_path)
    assert pipeline is not None
    assert problems[0].code == "missing-file"
    path = write(tmp_path, "blocks: [{uuid: a, type: custom, upstream_blocks: [a]}]\n")
    assert read_pipeline(path, project=tmp_path)[0] is None


def test_a_file_in_another_folder_is_pointed_at(tmp_path: Path) -> None:
    """The usual reason for a missing file is a wrong type."""
    text = "blocks: [{uuid: clean, type: custom}]\n"
    (problem,) = problems_of(tmp_path, text, "transformers/clean.py")
    assert "There is transformers/clean.py: is the type 'custom' right?" in problem.hint


WARNINGS = {
    "child is not listed": (
        ENTRY.replace("}", ", downstream_blocks: []}")
        + "- {uuid: b, type: custom, upstream_blocks: [load]}\n",
        "downstream-differs",
        3,
    ),
    "listed child has no such parent": (
        ENTRY.replace("}", ", downstream_blocks: [b, chart]}") + "- {uuid: b, type: custom}\n",
        "downstream-differs",
        2,
    ),
    "key twice": (ENTRY + "variables: {a: 1}\nvariables: {a: 2}\n", "repeated-key", 4),
    "unknown retry key": ("retry_config: {retry: 3}\n", "unknown-setting", 1),
    "date": ("variables:\n  day: 2024-01-31\n", "date-as-text", 2),
    "legacy callback": (ENTRY.replace("}", ", has_callback: true}"), "missing-file", 2),
    "extension": (
        "extensions: {great_expectations: {blocks: [{uuid: x}]}}\n",
        "unsupported-block-type",
        1,
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_only_odd_is_a_warning(tmp_path: Path, name: str) -> None:
    """The pipeline runs, and the user is told."""
    text, code, line = WARNINGS[name]
    pipeline = read(tmp_path, text, "data_loaders/load.py", "custom/b.py")
    assert [(problem.code, problem.line) for problem in pipeline.warnings] == [(code, line)]


def test_dates_in_variables_become_texts(tmp_path: Path) -> None:
    """Runtime variables are JSON, wherever the blocks run."""
    text = "variables: {day: 2024-01-31, at: 2024-01-31 10:00:00, deep: [{1: 2024-01-31}]}\n"
    assert read(tmp_path, text).variables == {
        "day": "2024-01-31",
        "at": "2024-01-31T10:00:00",
        "deep": [{"1": "2024-01-31"}],
    }


FILES: list[tuple[str, str, str]] = [
    ("{uuid: a, type: data_loader}", "data_loaders/a.py", "data_loaders/a.py"),
    ("{uuid: x/a, type: transformer}", "transformers/x/a.py", "transformers/x/a.py"),
    (
        "{uuid: a, type: custom, configuration: {file_path: shared/b.py}}",
        "shared/b.py",
        "shared/b.py",
    ),
    (
        "{uuid: a, type: custom, configuration: {file_path: /gone/home/b.py}}",
        "custom/a.py",
        "custom/a.py",
    ),
    (
        "{uuid: a, type: custom, configuration: {file_source: {path: demo/custom/b.py}}}",
        "custom/b.py",
        "custom/b.py",
    ),
    ("{uuid: a, type: sensor, content: 'x = 1'}", "other.py", "sensors/a.py"),
]


@pytest.mark.parametrize(("entry", "there", "expected"), FILES)
def test_the_file_of_a_block_is_found(
    tmp_path: Path, entry: str, there: str, expected: str
) -> None:
    """By type and uuid, by file_path, or not at all where metadata.yaml holds the text."""
    pipeline = read(tmp_path / "demo", f"blocks:\n- {entry}\n", there)
    assert pipeline.blocks[0].file == expected


def test_a_replica_uses_the_file_of_its_original(tmp_path: Path) -> None:
    """Mage's replicated blocks share one file."""
    text = ENTRY + "- {uuid: again, type: data_loader, replicated_block: load}\n"
    pipeline = read(tmp_path, text, "data_loaders/load.py")
    assert pipeline.block("again").file == "data_loaders/load.py"


def test_the_older_callback_files_are_attached(tmp_path: Path) -> None:
    """`has_callback` means the file that is named after the block."""
    text = ENTRY.replace("}", ", has_callback: true}")
    pipeline = read(tmp_path, text, "data_loaders/load.py", "callbacks/load_callback.py")
    assert pipeline.block("load").callbacks == ("callbacks/load_callback.py",)


def test_our_own_keys_are_read(tmp_path: Path) -> None:
    """Inputs, parameters and outputs make a binding; sensors get interval and timeout."""
    text = """\
        jupyter_blocks: {notebook: ../flights.ipynb, helpers: helpers/p.py, digest: abc}
        blocks:
        - uuid: wait
          type: sensor
          jupyter_blocks: {outputs: [], poll_interval: 0.5, timeout: 10}
        - uuid: join
          type: transformer
          upstream_blocks: [wait, other]
          jupyter_blocks:
            inputs: {flights: other.output_0, rest: other}
            parameters: [month]
            outputs: [joined, count]
            resources: {cpu: 2, memory_mib: 512}
            cache: false
        - {uuid: other, type: data_loader}
        """
    files = ("sensors/wait.py", "transformers/join.py", "data_loaders/other.py", "helpers/p.py")
    pipeline = read(tmp_path, text, *files)
    assert (pipeline.notebook, pipeline.helpers) == ("../flights.ipynb", "helpers/p.py")
    assert pipeline.digest == "abc"
    assert pipeline.block("wait").sensor == SensorPolicy(0.5, 10.0)
    assert pipeline.block("wait").binding == Binding()
    join = pipeline.block("join")
    assert join.binding == Binding(
        {"flights": Source("other", "output_0"), "rest": Source("other")},
        ("month",),
        ("joined", "count"),
    )
    assert join.resources == {"cpu": 2.0, "memory_mib": 512}
    assert not join.cache
    assert pipeline.block("other").binding is None


NAMES = st.sampled_from(["load", "clean", "x/nested", "b_2", "yes", "null", "1e3"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
IDENTIFIERS = st.lists(st.sampled_from(["df", "n", "on", "übung", "x1"]), unique=True, max_size=3)
SECONDS = st.floats(0.001, 1e6)


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    """Blocks that depend on earlier ones, with any settings."""
    made: list[Block] = []
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        kind = draw(st.sampled_from(sorted(BLOCK_TYPES.values(), key=str)))
        upstream = tuple(block.name for block in made if draw(st.booleans()))
        outputs = tuple(draw(IDENTIFIERS))
        source = draw(st.sampled_from([None, *upstream]))
        inputs = {"value": Source(source)} if source else {}
        binding = Binding(inputs, tuple(draw(IDENTIFIERS)), outputs)
        is_sensor = kind.name == "sensor"
        made.append(
            Block(
                name,
                kind,
                upstream,
                file=f"{kind.folder}/{name}.py",
                label=draw(
                    st.just(name) | st.text("ab c:", min_size=1, max_size=5).filter(str.strip)
                ).strip(),
                content="x = 1  # text\n\ty\n".strip(),
                executor_type=draw(st.sampled_from([None, "k8s", "local_python"])),
                executor_config=draw(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=2)),
                retry=RetryPolicy(draw(st.integers(0, 5)), draw(SECONDS)),
                timeout_s=draw(st.none() | SECONDS),
                sensor=SensorPolicy(draw(SECONDS), draw(st.none() | SECONDS))
                if is_sensor
                else SensorPolicy(),
                configuration=draw(
                    st.dictionaries(st.sampled_from("abc"), JSON_VALUES, max_size=2)
                ),
                binding=draw(st.sampled_from([None, binding])),
                resources=draw(st.sampled_from([{}, {"cpu": 2.0, "memory_mib": 10, "gpu": 2}])),
                cache=draw(st.booleans()),
            )
        )
    return made


def without_place(block: Block) -> dict[str, Any]:
    """The fields that a text can hold."""
    return {key: value for key, value in vars(block).items() if key != "line"}


@given(blocks(), st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_what_is_written_is_read_back(
    tmp_path: Path, made: list[Block], variables: dict[str, Any]
) -> None:
    """The text of a pipeline says everything, and the same pipeline gives the same text."""
    text = pipeline_yaml(name="p", blocks=made, variables=variables, notebook="n.ipynb")
    assert text == pipeline_yaml(name="p", blocks=made, variables=variables, notebook="n.ipynb")
    path = write(tmp_path, "")
    path.write_text(text, "utf-8")
    pipeline, problems = read_pipeline(path, project=tmp_path)
    assert [problem for problem in problems if problem.code != "missing-file"] == []
    assert pipeline is not None
    assert [without_place(b) for b in pipeline.blocks] == [without_place(b) for b in made]
    assert pipeline.variables == variables
    assert pipeline.notebook == "n.ipynb"


def test_the_written_text_is_minimal() -> None:
    """Only what differs from the defaults is there; a stranger can read it."""
    load = Block("load", BLOCK_TYPES["data_loader"], file="data_loaders/load.py", label="load")
    join = Block(
        "join",
        BLOCK_TYPES["transformer"],
        ("load",),
        file="transformers/join.py",
        label="join",
        binding=Binding({"df": Source("load", "df")}, ("month",), ("joined",)),
    )
    text = pipeline_yaml(
        name="flights",
        blocks=[load, join],
        variables={"month": 1},
        notebook="flights.ipynb",
        concurrency_limit=2,
    )
    assert text == textwrap.dedent(
        """\
        name: flights
        uuid: flights
        type: python
        concurrency_config:
          block_run_limit: 2
        variables:
          month: 1
        jupyter_blocks:
          notebook: flights.ipynb
        blocks:
        - uuid: load
          type: data_loader
          upstream_blocks: []
        - uuid: join
          type: transformer
          upstream_blocks: [load]
          jupyter_blocks:
            inputs:
              df: load.df
            parameters: [month]
            outputs: [joined]
        """
    )
