"""A plain script: nothing is stored."""

from work import arguments, clean, export, load

kind, size, _ = arguments()
if kind == "tables":
    export(clean(load(size)))
elif kind == "chain":
    value = 0
    for _step in range(1, size):
        value = value + 1
else:
    values = [0 + 1 for _step in range(size)]
