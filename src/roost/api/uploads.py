"""Dialect A's uploads: a medium is announced, put to the URL that this gives, and sent with messages by its id."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import AgentMessageError, enveloped, errors, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, invalid, json_object
from roost.api.errors import not_found
from roost.api.http import read_body
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.media_urls import UPLOAD, MediaUrls
from roost.core.sniffing import KINDS, UNKNOWN, media_type
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.media_objects import Content
from roost.store.objects import Objects, ObjectsUnavailable
from roost.store.transaction import Transaction
from roost.store.uploads import begin_upload, find_upload, finish_upload, object_for_upload

#: As documented.
MAX_UPLOAD_BYTES = 1 << 20
#: What can be recognised, so that what is announced is what is sent.
TYPES = sorted(KINDS.keys() - {UNKNOWN})
#: Other names that clients give the same.
_ALIASES = {
    "image/jpg": "image/jpeg", "image/heif": "image/heic", "audio/mp3": "audio/mpeg", "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/3gpp": "video/3gpp", "text/x-vcard": "text/vcard",
}  # fmt: skip


class UploadBody(msgspec.Struct, forbid_unknown_fields=True):
    """What will be uploaded."""

    mime_type: str
    byte_size: Annotated[int, msgspec.Meta(ge=1, le=MAX_UPLOAD_BYTES)]


class UploadData(msgspec.Struct):
    """PUT the content to `upload_url` before `expires_at`, once; then `media_id` can be sent, for 7 days."""

    media_id: str
    upload_url: str
    expires_at: str
    max_byte_size: int


class UploadOne(msgspec.Struct):
    success: Literal[True]
    data: UploadData


class Uploads:
    """Handlers over one store and the place where content is."""

    def __init__(
        self, store: Store, objects: Objects, urls: MediaUrls, authenticator: Authenticator, idempotency: Idempotency
    ) -> None:
        self._store = store
        self._objects = objects
        self._urls = urls
        self._authenticator = authenticator
        self._idempotency = idempotency

    async def create(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:send", "sends")
        values, raw = await json_object(request)

        async def make(attempt: Attempt) -> Response:
            fields = Fields(values)
            mime_type = fields.need("mime_type", _mime_type, "")
            byte_size = fields.need("byte_size", _byte_size, 0)
            fields.check()

            async def work(tx: Transaction) -> Response:
                media_id, expires_at = await begin_upload(tx, principal.org_id, mime_type, byte_size)
                url = self._urls.upload(principal.org_id, media_id, expires_at)
                response = enveloped(UploadData(media_id, url, rfc3339(expires_at), MAX_UPLOAD_BYTES), 201)
                await attempt.answer(tx, response)
                return response

            return await self._store.transact(work)

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def put(self, request: Request) -> Response:
        """The signature in the URL is the credential."""
        reference = self._urls.read(request.path_params["token"], UPLOAD)
        if reference is None:
            raise not_found()
        org_id, upload_id, now = reference.org_id, reference.id, self._store.clock()
        upload = await find_upload(self._store, org_id, upload_id, now) if reference.expires_at > now else None
        if upload is None:
            raise Refusal(410, "GONE", "the URL has run out; ask for another upload")
        if upload.object_id is not None:
            raise _used()
        body = await read_body(request, MAX_UPLOAD_BYTES)
        found = media_type(body)
        if len(body) != upload.byte_size:
            raise invalid({"byte_size": f"was announced as {upload.byte_size}, and {len(body)} bytes came"})
        if found != upload.mime_type:
            raise invalid({"mime_type": f"was announced as {upload.mime_type}, and the content is {found}"})
        object_id = await object_for_upload(self._store, org_id)
        try:
            await self._objects.put(org_id, object_id, body)
        except ObjectsUnavailable:
            message = "the place where media are kept cannot be reached now"
            raise Refusal(503, "UNAVAILABLE", message, headers={"Retry-After": "2"}) from None
        content = Content(hashlib.sha256(body).digest(), found, len(body))
        if not await finish_upload(self._store, org_id, upload_id, object_id, content):
            raise _used()
        return Response(None, 200)

    def routes(self) -> Sequence[Route]:
        """The documented route, and the one that its answer leads to."""
        tag = "Dialect A: AgentMessage"
        return (
            Route(
                "POST", "/v1/messages/media-upload", self.create, tag, "Announce a medium to upload", _TEXT,
                [Answer(201, "Where to put it", UploadOne, REPLAYED), *refusals(403, 409, 413, 422)],
                [IDEMPOTENCY_KEY], [SECURITY_KEY], "messages:send", body=UploadBody,
            ),
            Route(
                "PUT", "/media/uploads/{token}", self.put, "Media", "Upload a medium",
                "The body is the content itself, of the announced type and size. Once only.",
                [
                    Answer(200, "It can be sent now", None),
                    Answer(404, "No such URL was made here", AgentMessageError),
                    Answer(409, "It was uploaded before", AgentMessageError),
                    Answer(410, "The URL has run out", AgentMessageError),
                    *errors(413, 422, 503),
                ],
                [Parameter("token", "path", {"type": "string"}, "Which upload, until when, and a signature.")],
                takes_body=True,
            ),
        )  # fmt: skip


def _used() -> Refusal:
    return Refusal(409, "CONFLICT", "it was uploaded already; ask for another upload")


def _mime_type(value: Any) -> str:
    text = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    known = _ALIASES.get(text, text)
    if known not in TYPES:
        raise ValueError(f"must be one of {', '.join(TYPES)}")
    return known


def _byte_size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_UPLOAD_BYTES:
        raise ValueError(f"must be 1..{MAX_UPLOAD_BYTES}")
    return value


_TEXT = """Answers with a URL to PUT the content to, good once and for 30 minutes. Then the `media_id` can stand in `media` of
`POST /v1/messages`, as often as you like, for 7 days. The carrier fetches it from this server, which it must be able to reach."""
