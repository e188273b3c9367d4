"""Who is asking: API keys for dialect A; wallet proofs, access tokens and open agents for dialect B."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, NamedTuple, TypeVar

from starlette.requests import Request

from roost.api.limits import Limited, Limits
from roost.api.proof import PROOF_WINDOW_SECONDS, InvalidProof, verify_proof
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.directory import AccessToken, Agent, ApiKey, Directory, Shown
from roost.wallet import is_wallet

#: A credential is believed this long without asking the database again, so revocation holds within a second everywhere.
CACHE_SECONDS = 0.5
_CACHE_SIZE = 10_000

Value = TypeVar("Value")


class Principal(NamedTuple):
    """An API key that was believed."""

    org_id: str
    key_id: str
    scopes: frozenset[str]

    @property
    def shown(self) -> Shown:
        """What it was believed by, for what lasts longer than that may hold."""
        return Shown("api_key", self.org_id, self.key_id)


class ShortCache(Generic[Value]):
    """What a look-up found, remembered for `CACHE_SECONDS`. Misses are not remembered.

    `is_secret`: under a hash of what was asked, so that memory holds no secret, and finding it takes as long for each.

    Who asks for the same meanwhile shares the look-up: ten thousand clients with one key may come at once.
    """

    def __init__(self, look_up: Callable[[str], Awaitable[Value | None]], *, is_secret: bool = True) -> None:
        self._look_up = look_up
        self._is_secret = is_secret
        self._found: dict[bytes | str, tuple[float, Value]] = {}
        self._under_way: dict[bytes | str, tuple[float, asyncio.Task[Value | None]]] = {}

    async def get(self, secret: str) -> Value | None:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest() if self._is_secret else secret
        now = time.monotonic()
        cached = self._found.get(digest)
        if cached is not None and cached[0] > now:
            return cached[1]
        good_until, task = self._under_way.get(digest, (0.0, None))
        if task is None or good_until <= now:
            task = asyncio.create_task(self._find(digest, secret, now + CACHE_SECONDS))
            self._under_way[digest] = (now + CACHE_SECONDS, task)
        return await asyncio.shield(task)

    async def _find(self, digest: bytes | str, secret: str, good_until: float) -> Value | None:
        """`good_until` counts from when it was asked: a revocation since then may not have been seen."""
        try:
            value = await self._look_up(secret)
        finally:
            if self._under_way.get(digest, (0.0, None))[1] is asyncio.current_task():
                del self._under_way[digest]
        if value is None:
            self._found.pop(digest, None)
        else:
            if len(self._found) >= _CACHE_SIZE:
                self._found.clear()
            self._found[digest] = (good_until, value)
        return value


class Authenticator:
    """Answers who a request is from, or refuses it: with 401, or 429 when it is one too many of `limit`.

    Who fails with 401 too often gets 429 as well.
    """

    def __init__(self, store: Store, limits: Limits) -> None:
        self._limits = limits
        self._directory = Directory(store)
        self._store = store
        self._keys: ShortCache[ApiKey] = ShortCache(self._used_key)
        self._tokens: ShortCache[AccessToken] = ShortCache(self._used_token)
        self._agents: ShortCache[Agent] = ShortCache(self._directory.agent)

    async def api_key(self, request: Request, scope: str, limit: Limited | None = None) -> Principal:
        """The principal of `Authorization: Bearer am_live_...`. Refuses with 401, then 403, then 429."""
        principal = await self._signed_in(request, self._principal(request))
        if scope not in principal.scopes:
            raise Refusal(403, "FORBIDDEN", "missing required scope")
        if limit is not None:
            await self._limits.take(limit, principal.org_id, request)
        return principal

    async def anybody(self, request: Request) -> str:
        """The `org_id` of whoever it is; what they may do is for what they go on to call. Refuses with 401.

        An agent needs an access token, unless it is open: a proof works for one request, and this may become several.
        """
        if "x-agent-id" in request.headers:
            return (await self._signed_in(request, self._lasting_agent(request))).org_id
        return (await self._signed_in(request, self._principal(request))).org_id

    async def agent_of_token(self, request: Request) -> Agent | None:
        """The agent whose access token the request has; None when it has none. Refuses a bad one with 401."""
        agent = await self._signed_in(request, self._token_holder(request))
        if agent is not None:
            await self._limits.take("reads", agent.id, request)
        return agent

    async def proven_agent(self, request: Request, scope: str) -> Agent:
        """The agent that signed the request with its wallet's key; an open one must sign as well. Refuses with 401.

        An access token is refused with 403: it could otherwise outlive its own revocation.
        """
        agent = await self._signed_in(request, self._signer(request, scope))
        await self._limits.take("reads", agent.id, request)
        return agent

    async def agent(self, request: Request, scope: str, limit: Limited = "reads") -> Agent:
        """The agent named by X-Agent-ID, once it has shown that it is that agent (open ones need not). Refuses with 401.

        An unknown wallet and a wrong proof get the same answer: which wallets are registered is nobody's business.
        """
        return (await self.agent_shown(request, scope, limit))[0]

    async def agent_shown(self, request: Request, scope: str, limit: Limited = "reads") -> tuple[Agent, Shown]:
        """The same, with what it showed, for what lasts longer than that may hold."""
        agent, shown = await self._signed_in(request, self._named(request, scope))
        await self._limits.take(limit, agent.id, request)
        return agent, shown

    async def agent_in_a(self, request: Request, scope: str) -> tuple[Agent, Shown]:
        """The same where dialect A is spoken: it refuses in A's words."""
        try:
            return await self.agent_shown(request, scope)
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            details = {"x-agent-proof": str(refusal.extra["reason"])} if refusal.extra else {}
            raise Refusal(401, "UNAUTHORIZED", refusal.message, details=details) from None

    async def _signed_in(self, request: Request, sign_in: Coroutine[Any, Any, Value]) -> Value:
        try:
            return await sign_in
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            raise await self._limits.failed_sign_in(request, refusal) from None

    async def _principal(self, request: Request) -> Principal:
        plaintext = _bearer(request)
        key = await self._keys.get(plaintext) if plaintext else None
        if key is None or self._expired(key):
            raise Refusal(401, "UNAUTHORIZED", "authentication failed", headers={"WWW-Authenticate": "Bearer"})
        return Principal(key.org_id, key.id, key.scopes)

    async def _token_holder(self, request: Request) -> Agent | None:
        plaintext = _bearer(request)
        if not plaintext:
            return None
        token = await self._tokens.get(plaintext)
        agent = await self._directory.agent_by_id(token.org_id, token.agent_id) if token else None
        if token is None or agent is None or self._expired(token):
            raise _unauthorized("The access token is not valid; create another one.")
        return agent

    async def _signer(self, request: Request, scope: str) -> Agent:
        if await self._token_holder(request) is not None:
            raise Refusal(403, "forbidden", "An access token cannot manage access tokens; sign with the wallet's key.")
        wallet = self._wallet(request)
        return await self._by_proof(request.headers.get("x-agent-proof", ""), wallet, await self._known(wallet), scope)

    async def _named(self, request: Request, scope: str) -> tuple[Agent, Shown]:
        wallet = self._wallet(request)
        agent = await self._known(wallet)
        if agent is not None and agent.open:
            return agent, Shown("open_agent", agent.org_id, agent.id)
        token = _bearer(request)
        if token:
            return await self._by_token(token, agent)
        proven = await self._by_proof(request.headers.get("x-agent-proof", ""), wallet, agent, scope)
        return proven, Shown("agent", proven.org_id, proven.id)

    async def _lasting_agent(self, request: Request) -> Agent:
        agent = await self._known(self._wallet(request))
        if agent is not None and agent.open:
            return agent
        return (await self._by_token(_bearer(request), agent))[0]

    def _wallet(self, request: Request) -> str:
        wallet = request.headers.get("x-agent-id", "").strip()
        if not is_wallet(wallet):
            raise _unauthorized("Send X-Agent-ID with your agent's wallet address (0x and 40 hexadecimal digits).")
        return wallet

    async def _known(self, wallet: str) -> Agent | None:
        return await self._agents.get(wallet.lower())

    def _expired(self, credential: ApiKey | AccessToken) -> bool:
        return credential.expires_at is not None and credential.expires_at <= self._store.clock()

    async def _used_key(self, plaintext: str) -> ApiKey | None:
        key = await self._directory.api_key(plaintext)
        if key is not None:
            self._directory.note_use("api_key", key.org_id, key.id, key.last_used_at)
        return key

    async def _used_token(self, plaintext: str) -> AccessToken | None:
        token = await self._directory.access_token(plaintext)
        if token is not None:
            self._directory.note_use("access_token", token.org_id, token.id, token.last_used_at)
        return token

    async def _by_token(self, plaintext: str, agent: Agent | None) -> tuple[Agent, Shown]:
        token = await self._tokens.get(plaintext)
        if token is None or self._expired(token) or agent is None or token.agent_id != agent.id:
            raise _unauthorized("The access token is not valid for this agent; create another one.")
        return agent, Shown("access_token", token.org_id, token.id)

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
