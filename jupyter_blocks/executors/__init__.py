"""The executors; their table is filled in `executors/table.py`."""
