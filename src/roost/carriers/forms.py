"""Reading what a carrier calls with when that is no JSON: a form (WHATWG URL Standard, application/x-www-form-urlencoded)."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from roost.carriers.contract import IntakeRequest

#: More than any carrier sends; a form with more is read by nobody.
MAX_FIELDS = 1000


def raw_of(request: IntakeRequest) -> bytes:
    """The event as it came, to the byte: the body, or the query of a GET."""
    return request.query.encode("utf-8", "surrogateescape") if request.method == "GET" else request.body


def pairs_of(raw: bytes) -> list[tuple[str, str]]:
    """The fields of a form in order; none of what is no form.

    Bytes that are no UTF-8 come as lone surrogates, so that encoding with "surrogateescape" gives the bytes that were signed.
    """
    try:
        return parse_qsl(
            raw.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        return []


def form_bytes(fields: Iterable[tuple[str, str]]) -> bytes:
    """A form to send."""
    return urlencode(list(fields), errors="surrogateescape").encode()


def numbered(fields: dict[str, str], name: str) -> tuple[str, ...]:
    """The values of name0, name1, ... in the order of their numbers."""
    found = {
        int(number): value
        for key, value in fields.items()
        if key.startswith(name) and (number := key[len(name) :]).isascii() and number.isdigit() and len(number) < 4
    }
    return tuple(value for _, value in sorted(found.items()) if value)
