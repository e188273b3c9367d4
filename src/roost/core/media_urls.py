"""Where a medium is shown: a URL of ours under `/media/`, which nobody else can make.

Its last part is a token: what it is for, which medium it is and until when, and a MAC.
"""

import base64
import binascii
import hmac
import struct
from collections.abc import Sequence
from typing import NamedTuple

from roost.core.ids import bytes_of, position_of, text_of
from roost.core.media import KEPT_US, SECOND_US, SENDING_US, UPLOAD_PREFIX

#: The purpose of the key that URLs are signed with.
URL_KEY = "media urls"
#: What a URL is for: a medium of a message, or the place where one is uploaded.
MESSAGE, UPLOAD = 1, 2

_TOKEN = struct.Struct(">BB16s16sQ")
_MAC_BYTES = 16


class Reference(NamedTuple):
    """What a URL of ours says: `id` is a message's (`nth` of its media) or an upload's; `expires_at` in microseconds."""

    kind: int
    org_id: str
    id: str
    nth: int
    expires_at: int


class MediaUrls:
    """Makes and reads the URLs of media; all processes of an installation share the key."""

    def __init__(self, public_url: str, key: bytes) -> None:
        self._base = f"{public_url}/media/"
        self._key = key

    def of(self, org_id: str, message_id: str, media: Sequence[str]) -> tuple[str, ...]:
        """What is shown for each of a message's media: a URL of ours for what we have, the same whenever it is asked."""
        return self._shown(org_id, message_id, media, position_of(message_id) + KEPT_US, ours=True)

    def outbound(self, org_id: str, message_id: str, media: Sequence[str]) -> tuple[str, ...]:
        """The same for an outbound message: what was given as a public URL is shown as it was given."""
        return self._shown(org_id, message_id, media, position_of(message_id) + KEPT_US, ours=False)

    def to_fetch(self, org_id: str, message_id: str, media: Sequence[str], now: int) -> tuple[str, ...]:
        """What the carrier is given of a message that is sent now."""
        until = max(position_of(message_id) + KEPT_US, now + SENDING_US)
        return self._shown(org_id, message_id, media, until, ours=False)

    def upload(self, org_id: str, media_id: str, expires_at: int) -> str:
        """Where one medium is uploaded."""
        return f"{self._base}uploads/{self._token(Reference(UPLOAD, org_id, media_id, 0, expires_at))}"

    def read(self, token: str, kind: int) -> Reference | None:
        """What a token of ours says; None for any other."""
        try:
            raw = base64.b64decode(f"{token}==", b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != _TOKEN.size + _MAC_BYTES or _text(raw) != token:  # one spelling of each
            return None
        said, mac = raw[: _TOKEN.size], raw[_TOKEN.size :]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        its_kind, nth, org_id, its_id, expires = _TOKEN.unpack(said)
        if its_kind != kind:
            return None
        return Reference(kind, text_of(org_id), text_of(its_id), nth, expires * SECOND_US)

    def _shown(self, org_id: str, message_id: str, media: Sequence[str], until: int, *, ours: bool) -> tuple[str, ...]:
        return tuple(
            self._base + self._token(Reference(MESSAGE, org_id, message_id, nth, until))
            if ours or each.startswith(UPLOAD_PREFIX)
            else each
            for nth, each in enumerate(media)
        )

    def _token(self, reference: Reference) -> str:
        kind, org_id, its_id, nth, expires_at = reference
        # Whole seconds, rounded up: never shorter than was promised.
        said = _TOKEN.pack(kind, nth, bytes_of(org_id), bytes_of(its_id), -(-expires_at // SECOND_US))
        return _text(said + self._mac(said))

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, "sha256")[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
