"""The inbox page: what an operator sees, rendered by the server and kept up to date by one small script."""
