"""The organization over HTTP: what it can set for itself, and what each refusal says."""

from typing import Any

import pytest

from roost.core.organization import AutoReplies, QuietHours, Settings
from roost.store.settings import settings_of, settings_text
from support.allowed import allowed, but, error_of
from support.house import House

PATH = "/v1/organization"


def test_a_new_organization_has_the_documented_shape_and_defaults(house: House) -> None:
    tenant = house.tenant()
    answer = house.http.get(PATH, headers=allowed(house, tenant, "org:read"))
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data.pop("created_at").endswith("Z")
    assert data == {
        "id": tenant.org.org_id,
        "name": tenant.org.name,
        "billing_email": None,
        "plan": "self_hosted",
        "throughput_tier": 4,
        "message_retention_days": 30,
        "mms_retention_days": 30,
        "is_reseller": False,
        "quiet_hours": {"enabled": False, "start": "21:00", "end": "08:00", "mode": "reject"},
        "auto_replies": {"enabled": True, "stop_text": None, "help_text": None, "start_text": None},
        "registration_status": {"brand": "NOT_REQUIRED", "brand_count": 0, "campaign_count": 0},
        "consent_required": True,
        "opt_out_scope": "number",
        "suspected": "flag",
        "opt_out_words": [],
    }


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"name": "Acme Health"}, {"name": "Acme Health"}),
        ({"billing_email": "billing@example.com"}, {"billing_email": "billing@example.com"}),
        ({"message_retention_days": 30, "mms_retention_days": 1}, {"message_retention_days": 30, "mms_retention_days": 1}),
        ({"message_retention_days": 365, "mms_retention_days": 365}, {"message_retention_days": 365, "mms_retention_days": 365}),
        ({"quiet_hours": {"enabled": True}},
         {"quiet_hours": {"enabled": True, "start": "21:00", "end": "08:00", "mode": "reject"}}),
        ({"quiet_hours": {"start": "00:00", "end": "23:59", "mode": "defer", "enabled": None}},
         {"quiet_hours": {"enabled": False, "start": "00:00", "end": "23:59", "mode": "defer"}}),
        ({"auto_replies": {"help_text": "x" * 320}},
         {"auto_replies": {"enabled": True, "stop_text": None, "help_text": "x" * 320, "start_text": None}}),
        ({"auto_replies": {"enabled": False, "attestation": "Our carrier answers."}},
         {"auto_replies": {"enabled": False, "stop_text": None, "help_text": None, "start_text": None}}),
        ({"consent_required": False, "opt_out_scope": "organization", "suspected": "hold"},
         {"consent_required": False, "opt_out_scope": "organization", "suspected": "hold"}),
        ({"opt_out_words": ["basta", "nope", "basta"]}, {"opt_out_words": ["basta", "nope"]}),
        ({"opt_out_words": [f"word{n}" for n in range(100)]}, {"opt_out_words": [f"word{n}" for n in range(100)]}),
        ({"name": None, "quiet_hours": None, "opt_out_words": None}, {}),
        ({}, {}),
    ],
)  # fmt: skip
def test_what_is_set_stays_and_the_rest_is_as_it_was(house: House, change: Any, effect: Any) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    before = house.http.get(PATH, headers=auth).json()["data"]
    answer = house.http.patch(PATH, json=change, headers=auth)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"success": True, "data": {**before, **effect}}
    assert house.http.get(PATH, headers=auth).json()["data"] == {**before, **effect}


def test_changes_add_up_and_clear(house: House) -> None:
    auth = allowed(house, house.tenant())
    steps: list[tuple[Any, str, Any]] = [
        ({"auto_replies": {"stop_text": "Bye."}}, "stop_text", "Bye."),
        ({"auto_replies": {"help_text": "Call us."}}, "stop_text", "Bye."),
        ({"auto_replies": {"stop_text": None}}, "stop_text", None),
        ({"quiet_hours": {"enabled": True}}, "help_text", "Call us."),
    ]
    for change, field, value in steps:
        assert house.http.patch(PATH, json=change, headers=auth).json()["data"]["auto_replies"][field] == value
    house.http.patch(PATH, json={"billing_email": "a@example.com"}, headers=auth)
    assert house.http.patch(PATH, json={"billing_email": ""}, headers=auth).json()["data"]["billing_email"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"billing_email": "nobody"}, "billing_email"),
        ({"message_retention_days": 29}, "message_retention_days"),
        ({"message_retention_days": 366}, "message_retention_days"),
        ({"message_retention_days": True}, "message_retention_days"),
        ({"message_retention_days": 30.5}, "message_retention_days"),
        ({"mms_retention_days": 0}, "mms_retention_days"),
        ({"quiet_hours": "on"}, "quiet_hours"),
        ({"quiet_hours": {"start": "24:00"}}, "quiet_hours.start"),
        ({"quiet_hours": {"end": "8:00"}}, "quiet_hours.end"),
        ({"quiet_hours": {"mode": "drop"}}, "quiet_hours.mode"),
        ({"quiet_hours": {"enabled": 1}}, "quiet_hours.enabled"),
        ({"quiet_hours": {"zone": "UTC"}}, "quiet_hours.zone"),
        ({"quiet_hours": {"enabled": True, "start": "08:00"}}, "quiet_hours.end"),
        ({"auto_replies": {"stop_text": "x" * 321}}, "auto_replies.stop_text"),
        ({"auto_replies": {"help_text": ""}}, "auto_replies.help_text"),
        ({"auto_replies": {"attestation": ""}}, "auto_replies.attestation"),
        ({"consent_required": "no"}, "consent_required"),
        ({"opt_out_scope": "world"}, "opt_out_scope"),
        ({"suspected": "ban"}, "suspected"),
        ({"opt_out_words": "basta"}, "opt_out_words"),
        ({"opt_out_words": ["x" * 41]}, "opt_out_words"),
        ({"opt_out_words": [""]}, "opt_out_words"),
        ({"opt_out_words": ["!!!"]}, "opt_out_words"),
        ({"opt_out_words": ["START"]}, "opt_out_words"),
        ({"opt_out_words": ["help"]}, "opt_out_words"),
        ({"opt_out_words": [str(n) for n in range(101)]}, "opt_out_words"),
        ({"plan": "payg"}, "plan"),
        ([], "body"),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_nothing_changes(house: House, change: Any, field: str) -> None:
    auth = allowed(house, house.tenant())
    before = house.http.get(PATH, headers=auth).json()
    answer = house.http.patch(PATH, json=change, headers=auth)
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {field}
    assert house.http.get(PATH, headers=auth).json() == before


def test_auto_replies_are_switched_off_with_an_attestation_only(house: House) -> None:
    auth = allowed(house, house.tenant())
    off = {"auto_replies": {"enabled": False}}
    refused = house.http.patch(PATH, json=off, headers=auth)
    assert error_of(refused) == (422, "ATTESTATION_REQUIRED")
    assert set(refused.json()["error"]["details"]) == {"auto_replies.attestation"}
    attested = {"auto_replies": {"enabled": False, "attestation": "Our carrier answers."}}
    assert house.http.patch(PATH, json=attested, headers=auth).status_code == 200
    assert house.http.patch(PATH, json=off, headers=auth).status_code == 200, "they are off already"
    log = house.http.get("/v1/audit-log?action=organization.updated&include=payload", headers=auth).json()["data"]
    assert log[0]["payload"]["attestation"] == "Our carrier answers."


@pytest.mark.parametrize(("method", "scope"), [("GET", "org:read"), ("PATCH", "org:admin:write")])
def test_who_may_not_is_refused(house: House, method: str, scope: str) -> None:
    tenant = house.tenant()
    assert error_of(house.http.request(method, PATH)) == (401, "UNAUTHORIZED")
    lacking = allowed(house, tenant, *but(scope))
    assert error_of(house.http.request(method, PATH, headers=lacking)) == (403, "FORBIDDEN")


def test_one_organization_changes_nothing_of_another(house: House) -> None:
    tenant, other = house.tenant(), house.tenant()
    house.http.patch(PATH, json={"name": "Mine", "suspected": "hold"}, headers=allowed(house, tenant))
    data = house.http.get(PATH, headers=allowed(house, other)).json()["data"]
    assert (data["name"], data["suspected"]) == (other.org.name, "flag")


def test_settings_survive_being_stored() -> None:
    changed = Settings(
        consent_required=False,
        opt_out_words=("basta",),
        auto_replies=AutoReplies(stop_text="Bye."),
        quiet_hours=QuietHours(enabled=True, mode="defer"),
        message_retention_days=365,
    )
    for settings in (Settings(), changed):
        assert settings_of(settings_text(settings)) == settings
    assert settings_text(Settings()) is None


@pytest.mark.parametrize(
    "stored",
    ["", "{", "[]", "7", "null", "[" * 100_000, '{"nothing": 1}', '{"consent_required": "no"}', '{"quiet_hours": 7}',
     '{"quiet_hours": {"start": "late", "enabled": "yes"}}', '{"message_retention_days": 1}', '{"opt_out_words": [1]}',
     '{"suspected": "ban", "auto_replies": {"enabled": null}}'],
)  # fmt: skip
def test_a_broken_setting_is_as_good_as_its_default(stored: str) -> None:
    assert settings_of(stored) == Settings()


def test_a_broken_setting_says_nothing_of_the_others() -> None:
    stored = '{"suspected": "ban", "consent_required": false, "quiet_hours": {"start": "late", "enabled": true}}'
    assert settings_of(stored) == Settings(consent_required=False, quiet_hours=QuietHours(enabled=True))
