"""Kedro: each result has an entry in the catalog, numbers as pickle, tables as Parquet."""

from kedro.io import DataCatalog
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.pandas import ParquetDataset
from kedro_datasets.pickle import PickleDataset
from work import arguments, clean, export, load

kind, size, folder = arguments()
if kind == "tables":
    steps = [(lambda: load(size), None, "load"), (clean, "load", "clean")]
    steps.append((export, "clean", "export"))
    dataset, suffix = ParquetDataset, "parquet"
else:
    steps = [(lambda: 0, None, "b0")]
    for step in range(1, size + (kind == "fan")):
        steps.append((lambda x: x + 1, f"b{step - 1}" if kind == "chain" else "b0", f"b{step}"))
    dataset, suffix = PickleDataset, "pickle"
nodes = [node(function, above, name, name=f"make_{name}") for function, above, name in steps]
catalog = DataCatalog(
    {name: dataset(filepath=str(folder / f"{name}.{suffix}")) for _, _, name in steps}
)
SequentialRunner().run(pipeline(nodes), catalog)
