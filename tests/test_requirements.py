"""Which packages a project needs, and what another machine lacks of them."""

from __future__ import annotations

from importlib.metadata import version

from jupyter_blocks.requirements import differences, python_version, requirements_of


def test_modules_are_found_by_the_packages_that_bring_them() -> None:
    """Names to import and names to install differ; the standard library needs nothing."""
    found = requirements_of(["yaml", "pandas.core", "os", "my_own_module", "jupyter_blocks.api"])
    assert found == {"pandas": version("pandas"), "PyYAML": version("PyYAML")}


def test_the_same_machine_lacks_nothing() -> None:
    """Compared with itself."""
    assert differences(requirements_of(["pandas", "numpy"]), python_version()) == ([], [])


def test_what_is_missing_and_what_is_different_are_told_apart() -> None:
    """One of them stops the block, the other may be fine."""
    wanted = {"pandas": "0.0.1", "no-such-package": "2.0"}
    missing, other = differences(wanted, "2.7")
    assert missing == ["no-such-package 2.0"]
    assert other == [
        f"pandas {version('pandas')} instead of 0.0.1",
        f"Python {python_version()} instead of 2.7",
    ]
