"""Text that every database can keep."""

import re

# PostgreSQL has no NUL in text, and UTF-8 has no surrogates (RFC 3629, section 3): either would fail the commit of
# everybody in the same group. What the carrier sent to the letter stays in the raw payload.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` with each NUL and lone surrogate replaced by U+FFFD."""
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
