"""`Idempotency-Key`: a POST that is sent again gets its first success again, and makes nothing twice.

    async def create(self, request):
        ...
        return await self._idempotency.once(request, org_id, raw_body, make)

    async def make(self, attempt):
        # In the transaction that makes the resource, one of the three:
        await attempt.answer(transaction, response)         # the answer is known already
        await attempt.name(transaction, 202, resource_id)   # it is, but has words that the resource may lose: `rebuild`
        await attempt.made(transaction, resource_id)        # it is not: `rebuild`

`once` is given a `rebuild` then, which makes the answer of the resource.

A crash between the transaction and the answer then loses nothing: the key finds the answer, or the resource to answer with.
"""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from roost.api.errors import is_oneshot
from roost.api.routes import Parameter
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.errors import StoreError
from roost.store.idempotency import Answered, Claim, ClaimLost, IdempotencyKeys, Named, Reused, Running
from roost.store.transaction import Transaction

HEADER = "Idempotency-Key"
#: The header of an answer that was given before, for the document.
REPLAYED = ("Idempotent-Replayed",)
IDEMPOTENCY_KEY = Parameter(
    HEADER,
    "header",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "Your own name for this request: sent again with the same key and body within 24 hours, it gets its first success "
    "again and makes nothing twice. A refusal is not kept. The same key with another body is 422; while the first is "
    "still running, 409.",
)


class Attempt:
    """One try of a request, which may have an idempotency key."""

    def __init__(self, keys: IdempotencyKeys, claim: Claim | None) -> None:
        self._keys = keys
        self._claim = claim
        self.answered = claim is None

    async def made(self, transaction: Transaction, resource_id: str) -> None:
        """Note the resource in the transaction that makes it."""
        if self._claim is not None:
            await self._keys.note(transaction, self._claim, resource_id)

    async def name(self, transaction: Transaction, status: int, resource_id: str) -> None:
        """Keep of the success only what it made, in the transaction that makes it."""
        if self._claim is not None:
            await self._keys.finish_by_name(transaction, self._claim, status, resource_id)
            self.answered = True

    async def answer(self, transaction: Transaction, response: Response) -> None:
        """Keep the success in the transaction that makes the resource."""
        if self._claim is not None:
            await self._keys.finish(transaction, self._claim, Answered(response.status_code, bytes(response.body)))
            self.answered = True


class Idempotency:
    """The wrapper that a route puts around what makes something."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = IdempotencyKeys(store)

    async def once(
        self,
        request: Request,
        org_id: str,
        raw_body: bytes,
        make: Callable[[Attempt], Awaitable[Response]],
        *,
        caller: str = "",
        rebuild: Callable[[str], Awaitable[Response]] | None = None,
    ) -> Response:
        """The response of `make`, or the first success of the same request before.

        Check what the caller may do before this: whoever knows the key and the body gets the stored answer. `caller`
        keeps apart those of one organization who may not see each other's answers, such as agents. `rebuild` answers
        for a resource that a request made which never finished, or that named it.
        """
        path = request.scope["path"]
        key = request.headers.get(HEADER)
        if key is None:
            return await make(Attempt(self._keys, None))
        if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
            raise _bad_key(path)
        route = " ".join((request.method, request.scope["roost.route"], caller)).rstrip()
        found = await self._keys.claim(org_id, route, key, _hash(path, raw_body))
        if isinstance(found, Running):
            raise _still_running(path)
        if isinstance(found, Reused):
            raise _other_request(path)
        if isinstance(found, Answered):
            kind = "application/json" if found.body else None
            return Response(found.body, found.status, dict.fromkeys(REPLAYED, "true"), kind)
        if isinstance(found, Named):
            assert rebuild is not None, "a route that names what it makes can answer with it"
            response = await rebuild(found.resource_id)
            response.headers.update(dict.fromkeys(REPLAYED, "true"))
            return response
        return await self._run(path, found, make, rebuild)

    async def _run(
        self,
        path: str,
        claim: Claim,
        make: Callable[[Attempt], Awaitable[Response]],
        rebuild: Callable[[str], Awaitable[Response]] | None,
    ) -> Response:
        attempt = Attempt(self._keys, claim)
        try:
            if claim.resource_id is not None and rebuild is not None:
                response = await rebuild(claim.resource_id)
            else:
                response = await make(attempt)
            if not attempt.answered:
                await self._store.transact(lambda transaction: attempt.answer(transaction, response))
        except ClaimLost:
            raise _still_running(path) from None
        except Exception:
            await self._give_back(claim)
            raise
        return response

    async def _give_back(self, claim: Claim) -> None:
        """A refusal is not kept; nor is a failure, unless something was made: that is for whoever asks again."""
        try:
            await self._keys.drop(claim)
        except StoreError:
            return  # it stays claimed until it can be taken over


def _hash(path: str, raw_body: bytes) -> bytes:
    # With the path, whose ids the route's template does not have.
    return hashlib.sha256(path.encode("utf-8", "surrogatepass") + b"\0" + raw_body).digest()


def _bad_key(path: str) -> Refusal:
    text = "must be 1..255 printable ASCII characters"
    if is_oneshot(path):
        return Refusal(400, "invalid_request", f"{HEADER} {text}.")
    return Refusal(422, "VALIDATION_FAILED", "validation failed", details={"idempotency_key": text})


def _still_running(path: str) -> Refusal:
    text = "the first request with this idempotency key is still running; try again after a moment"
    return Refusal(409, "conflict" if is_oneshot(path) else "CONFLICT", text, headers={"Retry-After": "1"})


def _other_request(path: str) -> Refusal:
    text = "was used with another request in the last 24 hours; take another one"
    if is_oneshot(path):
        return Refusal(422, "idempotency_key_reused", f"The idempotency key {text}.")
    return Refusal(422, "VALIDATION_FAILED", "validation failed", details={"idempotency_key": text})
