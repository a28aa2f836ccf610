"""Blocks as Jobs of Google Cloud Run."""
