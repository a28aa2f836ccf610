"""What every tool is given to do: a step that adds one, and three steps on a table."""

from __future__ import annotations

import sys
from pathlib import Path


def arguments() -> tuple[str, int, Path]:
    """`chain|fan|tables`, the number of steps or rows, and a folder for what is stored."""
    _, kind, size, folder = sys.argv
    Path(folder).mkdir(parents=True, exist_ok=True)
    return kind, int(size), Path(folder)


def load(rows):
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "value": rng.normal(size=rows),
            "group": rng.integers(0, 100, rows, dtype="int32"),
            "flag": rng.integers(0, 2, rows).astype(bool),
            "time": np.datetime64("2020-01-01") + rng.integers(0, 10**6, rows).astype("m8[s]"),
            "name": np.array(["alpha", "beta", "gamma"])[rng.integers(0, 3, rows)],
        }
    )


def clean(df):
    return df[df["flag"]].assign(value=lambda d: d["value"] * 2)


def export(df):
    return df.groupby(["group", "name"], as_index=False)["value"].mean()
