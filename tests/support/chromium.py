"""Where the system's Chromium is."""

import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """None: nowhere."""
    return next(filter(None, map(shutil.which, _NAMES)), None)
