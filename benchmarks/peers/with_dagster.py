"""Dagster: assets, each stored by its I/O manager for files."""

import dagster as dg
import work

kind, size, folder = work.arguments()


def number(name, above):
    if above is None:

        @dg.asset(name=name)
        def made() -> int:
            return 0
    else:

        @dg.asset(name=name, ins={"x": dg.AssetIn(above)})
        def made(x: int) -> int:
            return x + 1

    return made


def tables():
    @dg.asset
    def load():
        return work.load(size)

    @dg.asset
    def clean(load):
        return work.clean(load)

    @dg.asset
    def export(clean):
        return work.export(clean)

    return [load, clean, export]


if kind == "tables":
    assets = tables()
else:
    assets = [number("b0", None)]
    for step in range(1, size + (kind == "fan")):
        assets.append(number(f"b{step}", f"b{step - 1}" if kind == "chain" else "b0"))
storage = dg.FilesystemIOManager(base_dir=str(folder))
done = dg.materialize(assets, resources={"io_manager": storage})
if not done.success:
    raise SystemExit(1)
