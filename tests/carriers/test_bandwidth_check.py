"""What `roost carrier test` says of a Bandwidth account."""

from collections.abc import Iterator

import pytest

from roost.carriers import bandwidth
from roost.core.account import CarrierAccount
from support.credentials import ACCOUNT_ID, APPLICATION_ID, BASIC, SECRETS
from support.reaching_out import reaching_out
from support.scripted_api import Said, ScriptedApi

URL = "https://roost.example.com/carriers/bandwidth/1?a=b&c=d"
ESCAPED = URL.replace("&", "&amp;")
CREDS = "<{0}CallbackCreds><UserId>" + BASIC[0] + "</UserId></{0}CallbackCreds>"


def application(inbound: str, outbound: str, creds: bool = True) -> bytes:
    """As documented for "Get an application"."""
    credentials = CREDS.format("Inbound") + CREDS.format("Outbound") if creds else ""
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ApplicationProvisioningResponse><Application>
    <ApplicationId>{APPLICATION_ID}</ApplicationId><ServiceType>Messaging-V2</ServiceType><AppName>Roost</AppName>
    <InboundCallbackUrl>{inbound}</InboundCallbackUrl><OutboundCallbackUrl>{outbound}</OutboundCallbackUrl>{credentials}
</Application></ApplicationProvisioningResponse>""".encode()


FINDINGS: dict[str, tuple[Said, list[str]]] = {
    "all is right": (Said(200, application(ESCAPED, ESCAPED)), []),
    "it delivers elsewhere": (
        Said(200, application("https://example.com", "")), ["inbound callback URL is https://example.com", "not set"]
    ),
    "no credential": (Said(200, application(ESCAPED, ESCAPED, creds=False)), ["inbound callbacks", "status callbacks"]),
    "no such application": (Said(404, b"<x/>"), ["no application"]),
    "who may not look": (Said(403, b""), []),
    "no XML": (Said(200, b"\xff{}"), ["inbound callback URL is not set", "status callback URL is not set"]),
}  # fmt: skip


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi(lambda asked: Said(200, {"messages": []})) as listening:
        yield listening


def findings(api: ScriptedApi, **changes: str) -> list[tuple[bool, str]]:
    account = CarrierAccount(
        "1", "o", "bandwidth", {"basic": [list(BASIC)], **SECRETS, "dashboard_url": f"{api.base_url}/api", **changes}
    )
    found = reaching_out(
        lambda outside: bandwidth.check(account, ["+15551112222"], URL, outside), bandwidth_url=f"{api.base_url}/api/v2"
    )
    return [(finding.good, finding.text) for finding in found]


@pytest.mark.parametrize(("said", "expected"), FINDINGS.values(), ids=FINDINGS)
def test_the_application_is_looked_at(api: ScriptedApi, said: Said, expected: list[str]) -> None:
    api.script += [Said(200, {"messages": []}), said]
    wrong = [text for good, text in findings(api) if not good]
    assert len(wrong) == len(expected)
    assert all(part in text for part, text in zip(expected, wrong, strict=True)), wrong
    assert api.asked[1].path == f"/api/accounts/{ACCOUNT_ID}/applications/{APPLICATION_ID}"


def test_a_credential_that_bandwidth_refuses_is_told(api: ScriptedApi) -> None:
    for status, part in ((401, "refuses the API user"), (500, "answers 500")):
        api.script.append(Said(status))
        [(good, text)] = findings(api)
        assert (good, part in text) == (False, True)
    [(good, text)] = findings(api, api_user="")
    assert (good, "only receives" in text) == (True, True)
