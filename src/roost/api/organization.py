"""Dialect A: the organization, and what it sets for itself."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import enveloped, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, boolean, invalid, json_object, one_of, string
from roost.api.routes import SECURITY_KEY, Answer, Route
from roost.core.optout import keyword
from roost.core.organization import (
    MAX_OPT_OUT_WORDS,
    MAX_REPLY_CHARACTERS,
    MAX_WORD_CHARACTERS,
    MESSAGE_RETENTION_DAYS,
    MMS_RETENTION_DAYS,
    AutoReplies,
    QuietHours,
    Settings,
    is_clock,
)
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Directory, Profile

MAX_NAME, MAX_EMAIL, MAX_ATTESTATION = 200, 254, 1000

Clock = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
ReplyText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REPLY_CHARACTERS)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_WORD_CHARACTERS)]
MessageDays = Annotated[int, msgspec.Meta(ge=MESSAGE_RETENTION_DAYS.start, lt=MESSAGE_RETENTION_DAYS.stop)]
MmsDays = Annotated[int, msgspec.Meta(ge=MMS_RETENTION_DAYS.start, lt=MMS_RETENTION_DAYS.stop)]


class QuietHoursBody(msgspec.Struct):
    """In the recipient's zone. `reject` refuses what would leave between `start` and `end`, `defer` sends it after."""

    enabled: bool
    start: Clock
    end: Clock
    mode: Literal["reject", "defer"]


class AutoRepliesBody(msgspec.Struct):
    """Answers to keywords; null is the default text."""

    enabled: bool
    stop_text: str | None
    help_text: str | None
    start_text: str | None


class Registration(msgspec.Struct):
    """Brands and campaigns are registered at the carrier, and not known here."""

    brand: Literal["NOT_REQUIRED"]
    brand_count: int
    campaign_count: int


class OrganizationBody(msgspec.Struct):
    """The last four settings are ours."""

    id: str
    name: str
    billing_email: str | None
    plan: Literal["self_hosted"]
    throughput_tier: int
    message_retention_days: int
    mms_retention_days: int
    is_reseller: bool
    quiet_hours: QuietHoursBody
    auto_replies: AutoRepliesBody
    registration_status: Registration
    created_at: str
    consent_required: bool
    opt_out_scope: Literal["number", "organization"]
    suspected: Literal["flag", "hold"]
    opt_out_words: tuple[str, ...]


class OrganizationOne(msgspec.Struct):
    success: Literal[True]
    data: OrganizationBody


class QuietHoursChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays."""

    enabled: bool | None = None
    start: Clock | None = None
    end: Clock | None = None
    mode: Literal["reject", "defer"] | None = None


class AutoRepliesChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays; a text of null is the default one. Switching them off needs an `attestation`: your words on
    who answers STOP and HELP instead. It is kept in the audit log."""

    enabled: bool | None = None
    stop_text: ReplyText | None = None
    help_text: ReplyText | None = None
    start_text: ReplyText | None = None
    attestation: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ATTESTATION)] | None = None


class OrganizationChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out or null stays; a `billing_email` of "" is cleared."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None
    billing_email: Annotated[str, msgspec.Meta(max_length=MAX_EMAIL)] | None = None
    message_retention_days: MessageDays | None = None
    mms_retention_days: MmsDays | None = None
    quiet_hours: QuietHoursChange | None = None
    auto_replies: AutoRepliesChange | None = None
    consent_required: bool | None = None
    opt_out_scope: Literal["number", "organization"] | None = None
    suspected: Literal["flag", "hold"] | None = None
    opt_out_words: Annotated[list[Word], msgspec.Meta(max_length=MAX_OPT_OUT_WORDS)] | None = None


class OrganizationRoutes:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._directory = Directory(store)
        self._authenticator = authenticator

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "org:read")
        return enveloped(_body(await self._directory.profile(principal.org_id)))

    async def change(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "org:admin:write")
        values, _ = await json_object(request)
        actor = Actor("api_key", principal.key_id)
        return enveloped(_body(await change_organization(self._directory, principal.org_id, values, actor)))

    def routes(self) -> Sequence[Route]:
        tag, path, security = "Dialect A: Organization", "/v1/organization", [SECURITY_KEY]
        return (
            Route("GET", path, self.get, tag, "Get the organization", "The key's own.",
                  [Answer(200, "The organization", OrganizationOne), *refusals(403)], (), security, "org:read"),
            Route("PATCH", path, self.change, tag, "Change the organization",
                  "What holds for its numbers, contacts and messages; what is older than `message_retention_days` is gone at the "
                  "minute. Switching the auto-replies off without an "
                  "attestation is 422 `ATTESTATION_REQUIRED`.",
                  [Answer(200, "The organization", OrganizationOne), *refusals(403, 413, 422)], (), security,
                  "org:admin:write", body=OrganizationChange),
        )  # fmt: skip


async def change_organization(directory: Directory, org_id: str, values: dict[str, Any], actor: Actor) -> Profile:
    """The profile after the change that `values` (an `OrganizationChange` as JSON) ask for. Refuses with 422."""
    fields = Fields(values)
    name = fields.take("name", string(1, MAX_NAME), "")
    taken = {field: fields.take(field, read, None) for field, read in _READERS.items()}
    simple = {field: value for field, value in taken.items() if fields.given(field)}
    quiet = _nested(fields, "quiet_hours", _QUIET_HOURS, {})
    replies = _nested(fields, "auto_replies", _AUTO_REPLIES, dict.fromkeys(_REPLY_TEXTS))
    fields.check()
    attestation = replies.pop("attestation", None)

    def change(profile: Profile) -> Profile:
        standing = profile.settings
        settings = standing._replace(
            **simple,
            quiet_hours=standing.quiet_hours._replace(**quiet),
            auto_replies=standing.auto_replies._replace(**replies),
        )
        _check_together(standing, settings, attestation)
        return profile._replace(name=name or profile.name, settings=settings)

    return await directory.change_organization(
        org_id, change, actor, {"attestation": attestation} if attestation else None
    )


def _check_together(standing: Settings, settings: Settings, attestation: str | None) -> None:
    if settings.quiet_hours.enabled and settings.quiet_hours.start == settings.quiet_hours.end:
        raise invalid({"quiet_hours.end": "must differ from start"})
    if standing.auto_replies.enabled and not settings.auto_replies.enabled and attestation is None:
        text = "say in auto_replies.attestation who answers STOP and HELP instead"
        raise Refusal(422, "ATTESTATION_REQUIRED", text, details={"auto_replies.attestation": "is required"})


def _nested(
    fields: Fields, name: str, readers: dict[str, Callable[[Any], Any]], clearing: dict[str, None]
) -> dict[str, Any]:
    """The fields of an object within; those of `clearing` may be null, which is a value of its own."""
    nothing: dict[str, Any] = {}
    inner_values = fields.take(name, _object, nothing)
    inner = Fields(inner_values)
    found: dict[str, Any] = {
        field: inner.take(field, read, None)
        for field, read in readers.items()
        if inner.given(field) or (field in clearing and field in inner_values)
    }
    for field in inner_values.keys() - readers.keys():
        inner.details[field[:64]] = f"is not a field of {name}; it takes {', '.join(sorted(readers))}"
    fields.details.update({f"{name}.{field}": text for field, text in inner.details.items()})
    return found


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def _days(allowed: range) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            raise ValueError(f"must be a whole number from {allowed.start} to {allowed.stop - 1}")
        return value

    return read


def _clock(value: Any) -> str:
    if not isinstance(value, str) or not is_clock(value):
        raise ValueError("must be HH:MM, from 00:00 to 23:59")
    return value


def _email(value: Any) -> str | None:
    text = string(0, MAX_EMAIL)(value)
    name, at, host = text.rpartition("@")
    if text and not (name and at and host and text.isprintable() and " " not in text):
        raise ValueError("must be an e-mail address")
    return text or None


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_OPT_OUT_WORDS:
        raise ValueError(f"must be a list of at most {MAX_OPT_OUT_WORDS} words")
    words = tuple(dict.fromkeys(string(1, MAX_WORD_CHARACTERS)(each) for each in value))
    for word in words:
        found = keyword(word, frozenset({word}))
        if found is None or found.kind != "opt_out":
            raise ValueError("must be words with a letter or digit, none of them an opt-in or help keyword")
    return words


_REPLY_TEXTS = ("stop_text", "help_text", "start_text")
_READERS: dict[str, Callable[[Any], Any]] = {
    "billing_email": _email,
    "message_retention_days": _days(MESSAGE_RETENTION_DAYS),
    "mms_retention_days": _days(MMS_RETENTION_DAYS),
    "consent_required": boolean,
    "opt_out_scope": one_of("number", "organization"),
    "suspected": one_of("flag", "hold"),
    "opt_out_words": _words,
}
_QUIET_HOURS: dict[str, Callable[[Any], Any]] = {
    "enabled": boolean,
    "start": _clock,
    "end": _clock,
    "mode": one_of("reject", "defer"),
}
_AUTO_REPLIES: dict[str, Callable[[Any], Any]] = {
    "enabled": boolean,
    **dict.fromkeys(_REPLY_TEXTS, string(1, MAX_REPLY_CHARACTERS)),
    "attestation": string(1, MAX_ATTESTATION),
}


def _body(profile: Profile) -> OrganizationBody:
    settings = profile.settings
    return OrganizationBody(
        profile.org_id,
        profile.name,
        settings.billing_email,
        "self_hosted",
        4,  # the highest of the documented ones: what this server allows is its operator's choice
        settings.message_retention_days,
        settings.mms_retention_days,
        False,
        _quiet_hours(settings.quiet_hours),
        _auto_replies(settings.auto_replies),
        Registration("NOT_REQUIRED", 0, 0),
        rfc3339(profile.created_at),
        settings.consent_required,
        settings.opt_out_scope,
        settings.suspected,
        settings.opt_out_words,
    )


def _quiet_hours(quiet: QuietHours) -> QuietHoursBody:
    return QuietHoursBody(*quiet)


def _auto_replies(replies: AutoReplies) -> AutoRepliesBody:
    return AutoRepliesBody(*replies)
