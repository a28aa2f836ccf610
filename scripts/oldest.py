"""Print pip constraints for the oldest versions that pyproject.toml allows.

A lower bound `pandas>=2.2` becomes `pandas==2.2.*`: what we promise to run with is what is tested.
Tools that only check the code stay as they are.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

CHECKERS = {"mypy", "pandas-stubs", "ruff", "types-PyYAML", "types-jsonschema"}
COMPANIONS = ("pyparsing<3.3",)  # later ones warn about how matplotlib 3.9 calls them
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\d.]+)")


def constraints(project: dict[str, Any]) -> list[str]:
    """One `name==version.*` for each requirement with a lower bound, and what goes with them."""
    table = project["project"]
    required = [*table["dependencies"], *project["dependency-groups"]["test"]]
    for extra in table["optional-dependencies"].values():
        required += extra
    bounds = [match for text in required if (match := REQUIREMENT.match(text))]
    oldest = (f"{b['name']}=={b['version']}.*" for b in bounds if b["name"] not in CHECKERS)
    return sorted([*oldest, *COMPANIONS])


if __name__ == "__main__":
    print("\n".join(constraints(tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
