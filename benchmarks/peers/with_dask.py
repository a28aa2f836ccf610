"""Dask, with threads: nothing is stored."""

import dask
from work import arguments, clean, export, load

kind, size, _ = arguments()
add = dask.delayed(lambda value: value + 1)
first = dask.delayed(lambda: 0)()
if kind == "tables":
    steps = [dask.delayed(export)(dask.delayed(clean)(dask.delayed(load)(size)))]
elif kind == "chain":
    for _step in range(1, size):
        first = add(first)
    steps = [first]
else:
    steps = [add(first) for _step in range(size)]
dask.compute(*steps)
