"""The IPython extension: cells of a notebook that know the variable store.

`extension` is what `%load_ext jupyter_blocks` calls; nothing else is imported before a cell runs.
"""
