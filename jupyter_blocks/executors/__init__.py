"""The executors: the contract in `base.py`, the table in `table.py`, one module per backend."""
