"""Jupyter Blocks: the tagged cells of a notebook, run as a pipeline."""
