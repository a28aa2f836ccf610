"""The rules of the architecture, kept by reading the imports of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jupyter_blocks"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

CLOUD_PACKAGES = {"boto3", "botocore", "kubernetes", "google", "pyspark"}

LAYERS = [
    # bottom first; a module may import from its own layer and from those before it
    """_version cellfigures collector decorators errors frozen lazy wholefile""",
    # words of the field, texts, single files; the contract of executors; keys of the store
    """attemptlog block blockfile blocktext bundle cellchanges celltext console dag dataflow
    executors executors.base executors.frames executors.reports executors.starters graphlayout
    heartbeat interpolation interrupts isolation jsonedit linediff magics notebook
    notebooktext percent percentedit plaincells projectmodules randomstreams redaction
    requirements samecode secretrefs settingsdiff suggest.looking suggest.vocabulary tables
    tracebacks usage variables variables.cells variables.keys variables.locations
    variables.rangefile variables.storage wordsets yamlfile""",
    # what a notebook or a metadata.yaml says; how a block is called; formats; what a run is
    """binding blockcheck blockentry calling cellsettings executors.cloud_run executors.ecs
    executors.kubernetes executors.local executors.pool
    executors.outgoing executors.patience executors.remote executors.settingsreader
    executors.table exportplan failures
    iterators line loading
    mageimports pipelinetext plan run runevents settings
    suggest.draft suggest.facts suggest.naming suggest.settings tags taskboot variables.buckets
    variables.formats variables.integrity variables.logs variables.manifest variables.objecterrors
    variables.objectstorage variables.openstorage variables.uploads""",
    # pipelines, texts of block files, previews, the decision and the journal
    """ahead board codegen compare edgecheck effects hosts journal pipeline previewtext runner
    settingsback suggest suggest.proposals
    variables.conditions
    variables.pages variables.query variables.retention variables.statistics variables.views
    wording""",
    # projects, the store, export
    """demo export exportbase kepttexts freshness parameters project suggest.outlook unexport
    variables.preview variables.store variables.unsealed""",
    # plans, attempts, dispatching
    """adopting attempt check image dispatcher flowback graphnodes inputs opening planner progress
    repair report runlog testing""",
    # whole runs, workers, displays
    """executors.lines executors.process graphsvg graphtext livedisplay resuming worker""",
    """launch""",
    # what people use
    """api kernel server""",
    """commands""",
    """cli __main__""",
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}


def imports(tree: ast.AST, *, nested: bool) -> Iterator[tuple[str, int]]:
    """Modules imported at the top of a file, or inside its functions."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if (id(node) in inside) is not nested:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield (name if name in MODULES else node.module), node.lineno


def own_imports(module: str, *, nested: bool = False) -> set[str]:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    names = {name for name, _ in imports(tree, nested=nested)}
    return {name for name in names if name.split(".")[0] == "jupyter_blocks"}


def level(module: str) -> int | None:
    """The layer of a module: its own, or that of the family it belongs to."""
    parts = module.split(".")[1:]
    while parts:
        if ".".join(parts) in LEVEL:
            return LEVEL[".".join(parts)]
        parts = parts[:-1]
    return None


def test_no_import_loops() -> None:
    """Imports point one way."""
    done: set[str] = set()
    for module in MODULES:
        path: list[str] = []
        _visit(module, path, done)


def _visit(module: str, path: list[str], done: set[str]) -> None:
    assert module not in path, f"import loop: {' -> '.join([*path, module])}"
    if module in done or module not in MODULES:
        return
    for name in sorted(own_imports(module)):
        _visit(name, [*path, module], done)
    done.add(module)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_import_from_below(module: str) -> None:
    """A lower module never knows a higher one, and every module has its place."""
    if module == "jupyter_blocks":
        return  # the package's names are looked up when they are asked for
    mine = level(module)
    assert mine is not None, "give it a layer in LAYERS"
    higher = {name for name in own_imports(module) if (level(name) or 0) > mine}
    assert not higher


@pytest.mark.parametrize("module", sorted(MODULES))
def test_own_modules_are_imported_at_the_top(module: str) -> None:
    """An import that has to move into a function shows a boundary in the wrong place."""
    assert not own_imports(module, nested=True)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_cloud_packages_stay_in_their_executors(module: str) -> None:
    """A cloud SDK or pyspark is imported only in its own executor file."""
    if module.startswith("jupyter_blocks.executors."):
        return
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    roots = {
        name.split(".")[0] for nested in (True, False) for name, _ in imports(tree, nested=nested)
    }
    assert not roots & CLOUD_PACKAGES


def test_executors_do_not_import_each_other() -> None:
    """Backends share the contract, not code."""
    backends = [
        f"jupyter_blocks.executors.{name}" for name in ["cloud_run", "ecs", "kubernetes", "local"]
    ]
    for mine in backends:
        others = tuple(other for other in backends if other != mine)
        modules = [name for name in MODULES if name == mine or name.startswith(f"{mine}.")]
        assert modules
        for module in modules:
            assert not [name for name in own_imports(module) if name.startswith(others)]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_stay_small(module: str) -> None:
    """Nobody wants to live in a long file."""
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", sorted(MODULES))
def test_public_names_are_listed(module: str) -> None:
    """Every module with public names lists them, sorted, and lists nothing that is not there."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__all__"
    ]
    if public:
        assert listed, f"{module} has public names and no __all__"
        missing = public - set(listed[0])
        assert not missing, f"not in __all__: {missing}"


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        (
            "import jupyter_blocks",
            {"pandas", "numpy", "pyarrow", "yaml", "nbformat", "jupyter_server", "tornado", "rich"},
        ),
        (
            "import jupyter_blocks.launch",
            {
                "pandas",
                "numpy",
                "pyarrow",
                "nbformat",
                "jupyter_server",
                "tornado",
                "rich",
                "IPython",
            },
        ),
        (
            "import jupyter_blocks.kernel.extension, jupyter_blocks.kernel.session",
            {"pandas", "numpy", "pyarrow", "nbformat", "jupyter_server", "tornado", "rich"},
        ),
        (
            "import jupyter_blocks.executors.process",
            {"pandas", "numpy", "pyarrow", "nbformat", "rich", "IPython", "sqlite3", "asyncio"},
        ),
    ],
)
def test_imports_are_light(statement: str, forbidden: set[str]) -> None:
    """What starts often starts fast: heavy packages are loaded where they are needed."""
    code = f"import sys; {statement}; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert not forbidden & set(out.stdout.split())
