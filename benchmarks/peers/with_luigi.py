"""Luigi: a target for each task, written by the task and read by the next one."""

import pickle

import luigi
import pandas as pd
from work import arguments, clean, export, load

kind, size, folder = arguments()


class Number(luigi.Task):
    name = luigi.Parameter()
    above = luigi.Parameter("")

    def requires(self):
        if not self.above:
            return []
        number = int(self.above[1:])
        return [Number(self.above, f"b{number - 1}" if kind == "chain" and number else "")]

    def output(self):
        return luigi.LocalTarget(str(folder / f"{self.name}.pickle"), format=luigi.format.Nop)

    def run(self):
        value = 0
        for target in self.input():
            with target.open("r") as file:
                value = pickle.load(file) + 1
        with self.output().open("w") as file:
            pickle.dump(value, file)


ABOVE = {"clean": "load", "export": "clean"}


class Table(luigi.Task):
    name = luigi.Parameter()

    def requires(self):
        return [Table(ABOVE[self.name])] if self.name in ABOVE else []

    def output(self):
        return luigi.LocalTarget(str(folder / f"{self.name}.parquet"))

    def run(self):
        if self.name == "load":
            table = load(size)
        else:
            table = {"clean": clean, "export": export}[self.name](
                pd.read_parquet(self.input()[0].path)
            )
        table.to_parquet(self.output().path)


if kind == "tables":
    tasks = [Table("export")]
elif kind == "chain":
    tasks = [Number(f"b{size - 1}", f"b{size - 2}" if size > 1 else "")]
else:
    tasks = [Number(f"b{step + 1}", "b0") for step in range(size)]
if not luigi.build(tasks, local_scheduler=True, log_level="WARNING"):
    raise SystemExit(1)
