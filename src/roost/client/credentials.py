"""Who the client is: an API key for dialect A, and an agent, by token or by wallet, for dialect B."""

import base64
import os
import re
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from roost.client.errors import RoostError
from roost.client.flow import Request

if TYPE_CHECKING:
    from roost.wallet import Wallet

_VISIBLE = re.compile(r"[!-~]{1,4096}")


class Credentials:
    """The headers of each request. Raises RoostError for what cannot be a credential; never shows one."""

    def __init__(
        self,
        api_key: str | None = None,
        agent: str | None = None,
        token: str | None = None,
        wallet_key: str | None = None,
    ) -> None:
        self._api_key = _checked("api_key", api_key or os.environ.get("ROOST_API_KEY"))
        self._token = _checked("token", token)
        self._wallet = _wallet(wallet_key) if wallet_key is not None else None
        self._agent = _checked("agent", agent) or (self._wallet.address if self._wallet else None)
        if self._wallet is not None and self._agent is not None and self._agent.lower() != self._wallet.address.lower():
            raise RoostError("the agent is another wallet than the one of wallet_key")

    def headers(self, request: Request) -> dict[str, str]:
        """The credential of one request; a proof is made for each, because it works once."""
        if request.who == "key":
            if self._api_key is None:
                raise RoostError("this call needs an API key: give api_key, or set ROOST_API_KEY")
            return {"Authorization": f"Bearer {self._api_key}"}
        if self._agent is None:
            raise RoostError("this call is an agent's: give agent, and its token or wallet_key")
        headers = {"X-Agent-ID": self._agent}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._wallet is not None:
            headers["x-agent-proof"] = _proof(self._wallet, "read" if request.method == "GET" else "write")
        return headers


def _checked(name: str, secret: str | None) -> str | None:
    if secret and _VISIBLE.fullmatch(secret) is None:
        raise RoostError(f"{name} must be printable ASCII, without spaces or line ends")
    return secret or None


def _wallet(private_key: str) -> "Wallet":
    from roost.wallet import Wallet  # elliptic curves are for those who sign

    try:
        return Wallet(private_key)
    except ValueError as error:
        raise RoostError(f"wallet_key: {error}") from None


def _proof(wallet: "Wallet", scope: str) -> str:
    from roost.wallet import AgentProof

    proof = AgentProof(wallet.address.lower(), scope, int(time.time()), secrets.token_bytes(32))
    signed = {
        "agent": wallet.address,
        "scope": scope,
        "issuedAt": proof.issued_at,
        "nonce": "0x" + proof.nonce.hex(),
        "signature": "0x" + wallet.sign(proof).hex(),
    }
    return base64.b64encode(msgspec.json.encode(signed)).decode()
