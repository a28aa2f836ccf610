"""Hamilton, with its cache: every result is stored and found again by code and inputs."""

import sys
import types

import work
from hamilton import ad_hoc_utils, driver

kind, size, folder = work.arguments()


def named(name, upstream):
    """A function of Hamilton: its name is that of the result, its parameter that of the input."""
    text = f"def {name}({f'{upstream}: int' if upstream else ''}) -> int:\n"
    text += f"    return {f'{upstream} + 1' if upstream else '0'}\n"
    return text


def module():
    if kind == "tables":
        import pandas as pd

        def load() -> pd.DataFrame:
            return work.load(size)

        def clean(load: pd.DataFrame) -> pd.DataFrame:
            return work.clean(load)

        def export(clean: pd.DataFrame) -> pd.DataFrame:
            return work.export(clean)

        return ad_hoc_utils.create_temporary_module(load, clean, export), ["export"]
    chain = kind == "chain"
    count = size if chain else size + 1
    above = [""] + [f"b{step - 1}" if chain else "b0" for step in range(1, count)]
    text = "\n\n".join(named(f"b{step}", upstream) for step, upstream in enumerate(above))
    path = folder / "steps.py"
    path.write_text(text)
    found = types.ModuleType("steps")
    found.__file__ = str(path)
    exec(compile(text, str(path), "exec"), vars(found))
    sys.modules["steps"] = found
    return found, [f"b{count - 1}"] if chain else [f"b{step}" for step in range(1, count)]


steps, wanted = module()
built = driver.Builder().with_modules(steps).with_cache(path=str(folder / "cache")).build()
built.execute(wanted)
