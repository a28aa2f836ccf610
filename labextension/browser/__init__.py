"""The JupyterLab plugin in a real browser, on a real server, kernel and store."""
