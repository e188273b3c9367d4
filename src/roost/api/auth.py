"""Who is asking: API keys for dialect A; wallet proofs, access tokens and open agents for dialect B."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from starlette.requests import Request

from roost.api.proof import PROOF_WINDOW_SECONDS, InvalidProof, is_wallet, verify_proof
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.directory import Agent, ApiKey, Directory

#: A credential is believed this long without asking the database again, so revocation holds within a second everywhere.
CACHE_SECONDS = 0.5
_CACHE_SIZE = 10_000

Value = TypeVar("Value")


class Principal(NamedTuple):
    """An API key that was believed."""

    org_id: str
    key_id: str
    scopes: frozenset[str]


class ShortCache(Generic[Value]):
    """What a look-up found, remembered for `CACHE_SECONDS` under a hash of what was asked. Misses are not remembered."""

    def __init__(self, look_up: Callable[[str], Awaitable[Value | None]]) -> None:
        self._look_up = look_up
        self._found: dict[bytes, tuple[float, Value]] = {}

    async def get(self, secret: str) -> Value | None:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        now = time.monotonic()
        cached = self._found.get(digest)
        if cached is not None and cached[0] > now:
            return cached[1]
        value = await self._look_up(secret)
        if value is None:
            self._found.pop(digest, None)
        else:
            if len(self._found) >= _CACHE_SIZE:
                self._found.clear()
            self._found[digest] = (now + CACHE_SECONDS, value)
        return value


class Authenticator:
    """Answers who a request is from, or refuses it."""

    def __init__(self, store: Store) -> None:
        directory = Directory(store)
        self._store = store
        self._keys: ShortCache[ApiKey] = ShortCache(directory.api_key)
        self._tokens = ShortCache(directory.access_token)
        self._agents: ShortCache[Agent] = ShortCache(directory.agent)

    async def api_key(self, request: Request, scope: str) -> Principal:
        """The principal of `Authorization: Bearer am_live_...`. Refuses with 401, then 403."""
        plaintext = _bearer(request)
        key = await self._keys.get(plaintext) if plaintext else None
        if key is None or (key.expires_at is not None and key.expires_at <= self._store.clock()):
            raise Refusal(401, "UNAUTHORIZED", "authentication failed", headers={"WWW-Authenticate": "Bearer"})
        if scope not in key.scopes:
            raise Refusal(403, "FORBIDDEN", "missing required scope")
        return Principal(key.org_id, key.id, key.scopes)

    async def agent(self, request: Request, scope: str) -> Agent:
        """The agent named by X-Agent-ID, once it has shown that it is that agent (open ones need not). Refuses with 401.

        An unknown wallet and a wrong proof get the same answer: which wallets are registered is nobody's business.
        """
        wallet = request.headers.get("x-agent-id", "").strip()
        if not is_wallet(wallet):
            raise _unauthorized("Send X-Agent-ID with your agent's wallet address (0x and 40 hexadecimal digits).")
        agent = await self._agents.get(wallet.lower())
        if agent is not None and agent.open:
            return agent
        token = _bearer(request)
        if token:
            return await self._by_token(token, agent)
        return await self._by_proof(request.headers.get("x-agent-proof", ""), wallet, agent, scope)

    async def _by_token(self, plaintext: str, agent: Agent | None) -> Agent:
        token = await self._tokens.get(plaintext)
        expired = token is not None and token.expires_at is not None and token.expires_at <= self._store.clock()
        if token is None or expired or agent is None or token.agent_id != agent.id:
            raise _unauthorized("The access token is not valid for this agent; create another one.")
        return agent

    async def _by_proof(self, header: str, wallet: str, agent: Agent | None, scope: str) -> Agent:
        try:
            proof = verify_proof(header, agent=wallet, scope=scope, now=self._store.clock() // 1_000_000)
            if agent is None:
                raise InvalidProof("invalid_signature")
            # One second longer than the window, so that a proof is never forgotten while it could still be believed.
            expires_at = (proof.issued_at + PROOF_WINDOW_SECONDS + 1) * 1_000_000
            if not await self._store.use_nonce(agent.org_id, agent.id, proof.nonce, expires_at):
                raise InvalidProof("already_used")
        except InvalidProof as error:
            raise Refusal(401, "invalid_proof", error.message, extra={"reason": error.reason}) from None
        return agent


def _bearer(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, "unauthorized", message)
