"""Dispatchers that are killed at every step, and what the next one makes of it."""
