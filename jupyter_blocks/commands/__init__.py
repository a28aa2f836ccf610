"""The commands of `jupyter blocks`, a module each; `cli.py` imports the one that is asked for."""
