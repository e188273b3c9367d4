"""What content is, by its bytes alone."""

import gzip
import io
import struct
import wave
import zipfile

import pytest

from roost.core.sniffing import KINDS, UNKNOWN, media_type


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(100))
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "hi")
    return out.getvalue()


def _box(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x02\x00isomiso2" + bytes(40)


KNOWN = {
    "image/jpeg": [b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"\xff\xd8\xff\xe1\x00\x18Exif", b"\xff\xd8\xff\xdb\x00\x43"],
    "image/png": [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"],
    "image/gif": [b"GIF87a\x01\x00", b"GIF89a\x01\x00", b"GIF89a/*<script>alert(1)</script>*/=1;"],
    "image/webp": [b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d", b"RIFF\x1a\x00\x00\x00WEBPVP8 \x0d"],
    "image/bmp": [b"BM" + struct.pack("<IHHI", 70, 0, 0, 54) + bytes(60)],
    "image/heic": [_box(b"heic"), _box(b"mif1")],
    "image/avif": [_box(b"avif")],
    "audio/mp4": [_box(b"M4A ")],
    "audio/amr": [b"#!AMR\n\x3c", b"#!AMR-WB\n\x3c"],
    "audio/mpeg": [b"ID3\x03\x00\x00", b"\xff\xfb\x90\x64", b"\xff\xf3\x40\xc0"],
    "audio/aac": [b"\xff\xf1\x50\x80\x02\x1f\xfc", b"\xff\xf9\x50\x80\x02\x1f\xfc"],
    "audio/ogg": [b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01"],
    "audio/wav": [_wav()],
    "video/mp4": [_box(b"isom"), _box(b"mp42"), _box(b"avc1")],
    "video/3gpp": [_box(b"3gp4"), _box(b"3gp5"), _box(b"3g2a")],
    "video/quicktime": [_box(b"qt  ")],
    "video/webm": [b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"],
    "application/pdf": [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"],
    "text/vcard": [b"BEGIN:VCARD\r\nVERSION:3.0\r\n", b"\xef\xbb\xbfbegin:vcard\r\n"],
    "text/calendar": [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"],
    UNKNOWN: [
        b"", b"\xff", b"\xff\xd8", b"<!DOCTYPE html><script>alert(1)</script>", b"  <script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', b'<?xml version="1.0"?><a/>',
        b"<smil><head></head></smil>", b"hello there\n", b"alert(1);\n", b"BMW is a maker of cars", b"RIFF\x00\x00\x00\x00AVI ",
        _zip(), gzip.compress(bytes(1000)), b"MZ\x90\x00" + bytes(200), b"\x7fELF\x02\x01\x01",
        "<html><script>alert(1)</script>".encode("utf-16"), b"\xff\xff\xff\xff", b"\xff\xfb\x00\x00",
    ],
}  # fmt: skip
CASES = [
    pytest.param(expected, content, id=f"{expected} {nth}")
    for expected, contents in KNOWN.items()
    for nth, content in enumerate(contents)
]


@pytest.mark.parametrize(("expected", "content"), CASES)
def test_content_is_what_its_bytes_say(expected: str, content: bytes) -> None:
    assert media_type(content) == expected


def test_every_kind_is_recognised_by_something_here() -> None:
    assert KNOWN.keys() == KINDS.keys()


def test_nothing_that_could_run_is_inline() -> None:
    inline = {name for name, kind in KINDS.items() if kind.inline}
    assert {name.partition("/")[0] for name in inline} == {"image", "audio", "video"}
    assert "image/svg+xml" not in KINDS
