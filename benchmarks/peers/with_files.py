"""A plain script that writes what each step makes to a file, numbers as pickle, tables as Arrow."""

import pickle

from work import arguments, clean, export, load

kind, size, folder = arguments()


def stored(name, value):
    (folder / f"{name}.pickle").write_bytes(pickle.dumps(value))
    return value


def stored_table(name, table):
    table.to_feather(folder / f"{name}.arrow", compression="uncompressed")
    return table


if kind == "tables":
    table = stored_table("load", load(size))
    table = stored_table("clean", clean(table).reset_index())
    stored_table("export", export(table))
elif kind == "chain":
    value = stored("b0", 0)
    for step in range(1, size):
        value = stored(f"b{step}", value + 1)
else:
    value = stored("b0", 0)
    for step in range(size):
        stored(f"b{step + 1}", value + 1)
