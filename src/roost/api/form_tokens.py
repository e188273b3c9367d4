"""The token in a hosted form's address: all that the form says, signed, so that nothing has to be kept until it is used."""

from typing import NamedTuple

from roost.api.consent_requests import FormRequest
from roost.core.ids import RANDOM_BITS, uuid7
from roost.core.jwt import sign, verify
from roost.store.base import Store

_PURPOSE = "hosted consent form"


class Form(NamedTuple):
    """What a token says."""

    id: str
    org_id: str
    phone_number_id: str
    contact_number: str | None
    agreement_text: str
    expires_at: int


class FormTokens:
    """Issues and reads tokens under the installation's key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.vault.derive(_PURPOSE)

    def issue(self, org_id: str, asked: FormRequest) -> tuple[str, int]:
        """The token, and when it expires, in microseconds since 1970."""
        now = self._store.clock()
        issued = now // 1_000_000
        claims = {
            "iss": "roost",
            "jti": uuid7(now, self._store.random_bits(RANDOM_BITS)),
            "iat": issued,
            "exp": issued + asked.lifetime_seconds,
            "org": org_id,
            "number": asked.phone_number_id,
            "contact": asked.contact_number,
            "agreement": asked.agreement_text,
        }
        return sign(self._key, claims), (issued + asked.lifetime_seconds) * 1_000_000

    def read(self, token: str) -> Form:
        """Raises InvalidToken; a form that has expired is still read."""
        said = verify(self._key, token)
        expires_at = said["exp"] * 1_000_000
        return Form(said["jti"], said["org"], said["number"], said["contact"], said["agreement"], expires_at)
