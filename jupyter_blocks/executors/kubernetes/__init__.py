"""Blocks as Jobs of a Kubernetes cluster."""
