"""Stored outputs: how values become files, where they are kept, and how to look at them."""
