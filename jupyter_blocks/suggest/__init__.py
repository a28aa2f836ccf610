"""Proposals for an untagged notebook: which cell could be which block, and why.

Pure: looks at the source of the cells and answers with tags. Reading the notebook, asking for
consent and writing the tags is for others.
"""

from jupyter_blocks.suggest.draft import Proposal, SuggestCell
from jupyter_blocks.suggest.proposals import suggest
from jupyter_blocks.suggest.repair import suggest_tags, tagged

__all__ = ["Proposal", "SuggestCell", "suggest", "suggest_tags", "tagged"]
