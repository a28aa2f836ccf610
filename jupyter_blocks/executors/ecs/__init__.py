"""Blocks as tasks of AWS ECS."""
