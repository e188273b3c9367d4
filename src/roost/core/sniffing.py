"""What kind of content some bytes are, from the bytes alone: what was said about them is not believed.

The patterns are those of the MIME Sniffing standard (https://mimesniff.spec.whatwg.org, section 6) and, for what telephones
send besides, of the formats' own documents. Whatever fits none is `UNKNOWN`.
"""

from typing import NamedTuple

#: How many bytes are looked at.
SNIFFED_BYTES = 1024
UNKNOWN = "application/octet-stream"


class Kind(NamedTuple):
    """How a kind of content is called and served; only what no browser can be made to run is `inline`."""

    extension: str
    inline: bool


KINDS = {
    "image/jpeg": Kind("jpg", True),
    "image/png": Kind("png", True),
    "image/gif": Kind("gif", True),
    "image/webp": Kind("webp", True),
    "image/avif": Kind("avif", True),
    "image/heic": Kind("heic", True),
    "image/bmp": Kind("bmp", True),
    "audio/mpeg": Kind("mp3", True),
    "audio/mp4": Kind("m4a", True),
    "audio/aac": Kind("aac", True),
    "audio/amr": Kind("amr", True),
    "audio/ogg": Kind("ogg", True),
    "audio/wav": Kind("wav", True),
    "video/mp4": Kind("mp4", True),
    "video/3gpp": Kind("3gp", True),
    "video/quicktime": Kind("mov", True),
    "video/webm": Kind("webm", True),
    "application/pdf": Kind("pdf", False),
    "text/vcard": Kind("vcf", False),
    "text/calendar": Kind("ics", False),
    UNKNOWN: Kind("bin", False),
}

_PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"#!AMR", "audio/amr"),  # RFC 4867, section 5
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "audio/ogg"),
    (b"%PDF-", "application/pdf"),
)
#: After the size of a RIFF file.
_RIFF = {b"WEBPVP": "image/webp", b"WAVE": "audio/wav"}
#: Brands of the ISO base media file format (ISO/IEC 14496-12, section 4.3), by how they begin; any other is some video.
_BRANDS = (
    (b"heic", "image/heic"), (b"heix", "image/heic"), (b"mif1", "image/heic"), (b"avif", "image/avif"),
    (b"M4A", "audio/mp4"), (b"M4B", "audio/mp4"), (b"3g", "video/3gpp"), (b"qt  ", "video/quicktime"),
)  # fmt: skip
_TEXTS = ((b"BEGIN:VCARD", "text/vcard"), (b"BEGIN:VCALENDAR", "text/calendar"))
_EBML = b"\x1a\x45\xdf\xa3"


def media_type(content: bytes) -> str:
    """One of `KINDS`, from how the content begins."""
    head = content[:SNIFFED_BYTES]
    for prefix, found in _PREFIXES:
        if head.startswith(prefix):
            return found
    if head[4:8] == b"ftyp":
        return next((found for brand, found in _BRANDS if head[8:12].startswith(brand)), "video/mp4")
    if head.startswith(b"RIFF"):
        return next((found for name, found in _RIFF.items() if head[8:].startswith(name)), UNKNOWN)
    if head.startswith(_EBML) and b"webm" in head[:64]:
        return "video/webm"
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":  # two reserved fields
        return "image/bmp"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().upper()
    return next((found for begin, found in _TEXTS if text.startswith(begin)), _frame(head))


def _frame(head: bytes) -> str:
    """A frame of MPEG audio or of AAC: eleven or twelve bits that are set, and no value that is reserved."""
    if len(head) < 4 or head[0] != 0xFF:
        return UNKNOWN
    if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 0xF < 13:  # ADTS (ISO/IEC 13818-7, section 6.2)
        return "audio/aac"
    is_mpeg = head[1] & 0xE0 == 0xE0 and head[1] >> 3 & 3 != 1 and head[1] >> 1 & 3 != 0
    is_sane = head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3
    return "audio/mpeg" if is_mpeg and is_sane else UNKNOWN
