"""The text of metadata.yaml: put together from pieces, it is what one dump would give."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import yaml

from jupyter_blocks import pipelinetext
from jupyter_blocks.block import BLOCK_TYPES, Binding, Block, RetryPolicy, Source
from jupyter_blocks.exportplan import signed_yaml_digest
from jupyter_blocks.pipelinetext import pipeline_yaml, signed

PLACE = "0a" * 16


def block(name: str, **settings: Any) -> Block:
    return Block(name=name, type=BLOCK_TYPES["transformer"], **settings)


BLOCKS = {
    "none": [],
    "bare": [block("one"), block("two", upstream=("one",))],
    "settings": [
        block("größe", executor_type="k8s", executor_config={"cpu": [1, 2], "on": "yes"}),
        block("text", content="def f():\n    return 'a: b'\n", retry=RetryPolicy(retries=2)),
    ],
    "binding": [
        block(
            "bound",
            binding=Binding(
                {"a": Source("one", "a")}, ("month",), tuple(f"long_name_{n}" for n in range(20))
            ),
        ),
        block("quiet", binding=Binding({}, (), ()), cache=False),
    ],
    "many": [block(f"b{number}", upstream=(f"b{number - 1}",)) for number in range(1, 300)],
}


@pytest.mark.parametrize("case", BLOCKS)
def test_pieces_make_the_text_of_one_dump(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether blocks were written before or not."""
    monkeypatch.setattr(pipelinetext, "_entry_texts", {})
    options: dict[str, Any] = {"variables": {"month": 1}, "notebook": "n.ipynb", "digest": PLACE}
    text = pipeline_yaml(name="p", blocks=BLOCKS[case], **options)
    assert pipeline_yaml(name="p", blocks=BLOCKS[case], **options) == text
    head = pipeline_yaml(name="p", blocks=[], **options).removesuffix("blocks: []\n")
    entries = [pipelinetext._entry(each, None) for each in BLOCKS[case]]
    assert text == head + pipelinetext._dumped({"blocks": entries})
    assert len(yaml.safe_load(text)["blocks"]) == len(BLOCKS[case])


@pytest.mark.parametrize("digest", ["0123456789abcdef" * 2, "1" * 32, "0" * 32, "1e10" * 8])
def test_a_digest_is_put_in_as_a_dump_would_write_it(digest: str) -> None:
    """In quotes where it could be taken for a number, and the rest as it was."""
    text = pipeline_yaml(name="p", blocks=[block("a")], notebook="n.ipynb", digest=PLACE)
    expected = pipeline_yaml(name="p", blocks=[block("a")], notebook="n.ipynb", digest=digest)
    assert signed(text, PLACE, digest) == expected
    assert yaml.safe_load(expected)["jupyter_blocks"]["digest"] == digest


def test_the_digest_is_that_of_the_text_without_it() -> None:
    """Whichever digest stands in it."""
    text = pipeline_yaml(name="p", blocks=[block("a")], notebook="n.ipynb", digest=PLACE)
    without = pipeline_yaml(name="p", blocks=[block("a")], notebook="n.ipynb")
    digest = hashlib.sha256(without.encode()).hexdigest()[:32]
    assert signed_yaml_digest(text) == digest
    assert signed_yaml_digest(signed(text, PLACE, digest)) == digest


def test_what_is_kept_of_blocks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server lives long."""
    monkeypatch.setattr(pipelinetext, "_entry_texts", {})
    for start in range(0, 3000, 500):
        pipeline_yaml(name="p", blocks=[block(f"b{start + number}") for number in range(500)])
    assert len(pipelinetext._entry_texts) <= 1024
