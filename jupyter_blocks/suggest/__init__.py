"""Proposals for an untagged notebook: which cell could be which block, and why.

Pure: looks at the source of the code cells and answers with tags. Reading the notebook, asking for
consent and writing the tags is for others.
"""

from jupyter_blocks.suggest.proposals import Proposal, SuggestCell, suggest

__all__ = ["Proposal", "SuggestCell", "suggest"]
