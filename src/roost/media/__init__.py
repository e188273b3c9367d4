"""Copying media: fetching them where the carrier has them, keeping them, and removing what has run out."""
