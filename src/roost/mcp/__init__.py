"""Roost as tools for agents (Model Context Protocol): one set of tools over the client, by HTTP at /mcp and by `roost mcp`."""
