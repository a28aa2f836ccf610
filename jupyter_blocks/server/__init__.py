"""The Jupyter server extension: everything `jupyter blocks` does, over REST, for front ends.

`app` is the extension, `handlers` the addresses, `openapi.yaml` the contract that requests and
answers are held to. Imported by a Jupyter server only.
"""
