"""Roost: a self-hosted messaging inbox for AI agents."""

__version__ = "0.1.0"
