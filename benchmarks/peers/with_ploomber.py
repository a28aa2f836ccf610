"""Ploomber: a product for each task, written by the task and read by the next one."""

import pickle
from pathlib import Path

import pandas as pd
import work
from ploomber import DAG
from ploomber.executors import Serial
from ploomber.products import File
from ploomber.tasks import PythonCallable

kind, size, folder = work.arguments()


def first(product):
    Path(str(product)).write_bytes(pickle.dumps(0))


def add(product, upstream):
    value = pickle.loads(Path(str(upstream.first)).read_bytes())
    Path(str(product)).write_bytes(pickle.dumps(value + 1))


def load(product):
    work.load(size).to_parquet(str(product))


def clean(product, upstream):
    work.clean(pd.read_parquet(str(upstream.first))).to_parquet(str(product))


def export(product, upstream):
    work.export(pd.read_parquet(str(upstream.first))).to_parquet(str(product))


dag = DAG(executor=Serial(build_in_subprocess=False))


def task(function, name, above=None):
    made = PythonCallable(function, File(str(folder / name)), dag, name=name)
    if above is not None:
        made.set_upstream(above)
    return made


if kind == "tables":
    task(export, "export", task(clean, "clean", task(load, "load")))
else:
    start = above = task(first, "b0")
    for step in range(1, size + (kind == "fan")):
        made = task(add, f"b{step}", above)
        above = made if kind == "chain" else start
dag.build()
