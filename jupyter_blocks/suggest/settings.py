"""Statements that set options of modules, or say where modules are looked for."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from jupyter_blocks.binding.pathsettings import is_path_setting
from jupyter_blocks.binding.statements import is_setting_call
from jupyter_blocks.suggest.vocabulary import is_setting

__all__ = ["names_path", "renames_part", "root_name", "sets_option"]

_PATH_MODULES = frozenset(("os", "pathlib", "site", "sys"))


def sets_option(node: ast.stmt, modules: Mapping[str, str]) -> bool:
    """Whether a statement sets an option of a module: `pd.set_option(..)`, `plt.rcParams[..] =`."""
    places: list[ast.expr] = []
    if is_path_setting(node):
        return True
    if isinstance(node, ast.Assign):
        places = node.targets
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        places = [node.value.func]
        names = ast.unparse(node.value.func).split(".")
        if not (is_setting(names[-1]) or "rcParams" in names or is_setting_call(node.value)):
            return False
    return bool(places) and all(root_name(place) in modules for place in places)


def renames_part(node: ast.stmt, modules: Mapping[str, str]) -> bool:
    """Whether a statement gives a part of a module a name: `norms = sm.robust.norms`."""
    return (
        isinstance(node, ast.Assign)
        and all(isinstance(target, ast.Name) for target in node.targets)
        and isinstance(node.value, ast.Attribute)
        and not any(isinstance(part, ast.Call | ast.Subscript) for part in ast.walk(node.value))
        and root_name(node.value) in modules
    )


def names_path(nodes: Collection[ast.stmt], modules: Mapping[str, str]) -> frozenset[str]:
    """Names of folders that the statements give and put into `sys.path`."""
    if not any(map(is_path_setting, nodes)):
        return frozenset()
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                read = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
                known = {known for known in read if modules.get(known) in _PATH_MODULES}
                if read <= known | found | {"str"}:
                    found.add(name)
    return frozenset(found)


def root_name(node: ast.expr) -> str:
    """`a` of `a.b[c].d`; empty if it begins with something else than a name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
