"""Webhooks out: signed, posted, tried again, and logged."""
