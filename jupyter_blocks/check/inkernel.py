"""What `check` does inside the notebook's kernel, between the cells: look, and store.

Each function is called by an expression that `expression` writes and answers with plain data. It
binds no name but the one a decorated block's result is known by, and keeps no value.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_blocks.compare import compare
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.variables.formats.parts import is_one_pass
from jupyter_blocks.variables.store import VariableStore

__all__ = [
    "SHOWN",
    "call_block",
    "changed",
    "expression",
    "random_state",
    "store_outputs",
    "stored_place",
]

SHOWN = "output_0"
"""Output that is the value of the last expression."""


def expression(function: str, /, **arguments: Any) -> str:
    """Text of a call of a function of this module, with JSON arguments, for any namespace."""
    module = f"__import__({__name__!r}, fromlist=['_'])"
    return f"{module}.{function}({json.dumps(arguments)!r})"


def stored_place(pipeline: str, run_id: str, block: str, output: str) -> dict[str, str]:
    """Where one output of a notebook's run is stored: as an attempt of its own."""
    return {"pipeline": pipeline, "run_id": run_id, "block": block, "attempt_id": output}


def _names() -> dict[str, Any]:
    from IPython.core.getipython import get_ipython

    names: dict[str, Any] = get_ipython().user_ns
    return names


async def call_block(text: str) -> None:
    """Call a decorated function as the pipeline does; its block's name then stands for the result.

    The arguments have `block`, `function`, `parameters` and `inputs`: argument -> `names` of the
    outputs it is given and `number`, the execution count of the cell they are from.
    """
    asked, names = json.loads(text), _names()
    arguments = {argument: _given(names, **given) for argument, given in asked["inputs"].items()}
    arguments |= {name: names[name] for name in asked["parameters"]}
    answer = names[asked["function"]](**arguments)
    names[asked["block"]] = await answer if hasattr(answer, "__await__") else answer


def _given(known: Mapping[str, Any], names: Sequence[str], number: int) -> Any:
    """One output as it is, several as a list, as `inputs.TaskInputs` hands them out."""
    values = [_value(known, name, number) for name in names]
    return values[0] if len(values) == 1 else values


def _value(names: Mapping[str, Any], output: str, number: int) -> Any:
    if output == SHOWN and output not in names:
        return names["_oh"].get(number)
    return names[output]


def store_outputs(text: str) -> list[list[str]]:
    """Store outputs of a block as they are now; those that could not be, each with the reason.

    The arguments have `store`, `pipeline`, `run_id`, `block`, `outputs`, `optional`, those of them
    that no block reads, and `number`: the execution count of the block's last cell.
    """
    asked, names = json.loads(text), _names()
    store, failed = VariableStore(asked["store"]), []
    for output in asked["outputs"]:
        if output != SHOWN and output not in names:
            failed.append([output, f"'{output}' is not set in the notebook"])
            continue
        value = _value(names, output, asked["number"])
        place = stored_place(asked["pipeline"], asked["run_id"], asked["block"], output)
        # An iterator is left as it is: the notebook goes on with it. What its readers make of it is
        # compared.
        about = {**place, "optional": [output] if is_one_pass(value) else asked["optional"]}
        if reason := _store(store, about, output, value):
            failed.append([output, reason])
    return failed


def _store(store: VariableStore, about: Mapping[str, Any], output: str, value: Any) -> str:
    place = {name: about[name] for name in ("pipeline", "run_id", "block", "attempt_id")}
    try:
        store.write(store.prefix(**place), {output: value}, about)
    except BlocksError as error:
        return str(error)
    except Exception as error:  # what classes of the notebook raise when they are stored
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return ""


def changed(text: str) -> bool:
    """Whether a name no longer has the value that was stored for it in an earlier run.

    The arguments have `store`, `place` and `name`.
    """
    asked, names = json.loads(text), _names()
    if asked["name"] not in names:
        return True
    store, output = VariableStore(asked["store"]), asked["place"]["attempt_id"]
    before = store.load(store.manifest(**asked["place"]), output)
    return compare(before, names[asked["name"]]).outcome == "different"


def random_state(_text: str) -> str:
    """Where the global random streams stand, in a few characters."""
    states: list[Any] = []
    if "random" in sys.modules:
        states.append(sys.modules["random"].getstate())
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        states.append(numpy_random.get_state())
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states.append(torch.get_rng_state().tolist())
    return hashlib.sha256(pickle.dumps(states)).hexdigest()[:16]
