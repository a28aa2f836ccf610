"""Whether two values are the same, exactly, and where they first differ.

Exact means: the same types, dtypes, index, order of rows and every value; missing equals missing.
Objects are compared by what is in them: fitted models by what they learned, figures by what they
show, functions by their code. What cannot be compared is said, with the reason, never taken as
equal. A library is asked only about values it made, so none is imported for this.
"""

from jupyter_blocks.compare.comparer import compare
from jupyter_blocks.compare.verdict import Verdict

__all__ = ["Verdict", "compare"]
