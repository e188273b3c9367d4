"""Which part of some content a request asks for (RFC 9110, section 14)."""

import re
from typing import Literal

_ONE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


def byte_range(header: str | None, size: int) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The first byte and the one after the last; None: all of it.

    Several ranges, other units and what cannot be read are ignored, as section 14.2 allows.
    """
    found = _ONE.fullmatch(header) if header else None
    if found is None:
        return None
    first, last, suffix = (None if each is None else int(each) for each in found.groups())
    if first is None:
        assert suffix is not None
        return (max(0, size - suffix), size) if suffix and size else "unsatisfiable"
    if last is not None and last < first:
        return None  # invalid, and so ignored
    return (first, min(size, last + 1 if last is not None else size)) if first < size else "unsatisfiable"
