"""IPython's own syntax in a cell: magics, shell commands, help. What is left is plain Python.

Works on text alone and runs nothing. What the Python means is for `dataflow`.
"""

from jupyter_blocks.magics.plain import MagicProblem, Note, Plain, strip_magics

__all__ = ["MagicProblem", "Note", "Plain", "strip_magics"]
