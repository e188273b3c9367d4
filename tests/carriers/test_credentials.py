"""What an account's secrets become when they rotate."""

from typing import Any

import pytest

from roost.carriers.credentials import new_secrets, rotated

SENDING = {"service_plan_id": "plan", "api_token": ["t1"], "basic": [["u", "p"]]}
ROTATIONS: list[tuple[str, dict[str, Any], dict[str, str], bool, dict[str, Any]]] = [
    ("sinch", SENDING, {"api_token": "t2"}, False, {"api_token": ["t2", "t1"]}),
    ("sinch", SENDING, {"api_token": "t1"}, False, {"api_token": ["t1"]}),
    ("sinch", {**SENDING, "api_token": ["t2", "t1"]}, {"api_token": "t1"}, False, {"api_token": ["t1", "t2"]}),
    ("sinch", SENDING, {"api_token": "t2"}, True, {"api_token": ["t2"], "basic": [["u", "p"]]}),
    ("sinch", {**SENDING, "basic": [["n", "q"], ["u", "p"]]}, {"api_token": "t2"}, True, {"basic": [["n", "q"], ["u", "p"]]}),
    ("sinch", {**SENDING, "basic": [["n", "q"], ["u", "p"]]}, {}, True, {"basic": [["n", "q"]], "api_token": ["t1"]}),
    ("sinch", SENDING, {"service_plan_id": "other"}, False, {"service_plan_id": "other", "api_token": ["t1"]}),
    ("sinch", {**SENDING, "api_url": "x"}, {"api_url": ""}, False, {"api_url": None}),
    ("sinch", SENDING, {"basic_user": "n", "basic_password": "q"}, False, {"basic": [["n", "q"], ["u", "p"]]}),
    ("telnyx", {"public_key": "k1"}, {"public_key": "k2"}, False, {"public_key": ["k2", "k1"]}),
]  # fmt: skip


@pytest.mark.parametrize(("carrier", "standing", "given", "forget_old", "expected"), ROTATIONS)
def test_a_new_value_comes_first_and_older_ones_stay_until_they_are_forgotten(
    carrier: str, standing: dict[str, Any], given: dict[str, str], forget_old: bool, expected: dict[str, Any]
) -> None:
    made = rotated(carrier, standing, given, forget_old=forget_old).secrets
    assert {name: made.get(name) for name in expected} == expected


def test_without_any_value_a_basic_credential_is_made_and_shown() -> None:
    made = rotated("bandwidth", {"basic": [["u", "p"]]}, {}, forget_old=False)
    assert made.secrets["basic"] == [[made.shown["basic_user"], made.shown["basic_password"]], ["u", "p"]]


REFUSED = [
    ("telnyx", {"public_key": ["k"]}, {"public_key": ""}, "must not be empty"),
    ("telnyx", {"public_key": ["k"]}, {}, "--public-key"),
    ("sinch", {"basic": []}, {"api_token": "t"}, "--service-plan-id"),
    ("sinch", SENDING, {"basic_user": "u"}, "--basic-password"),
]


@pytest.mark.parametrize(("carrier", "standing", "given", "reason"), REFUSED)
def test_half_a_credential_is_refused(
    carrier: str, standing: dict[str, Any], given: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        rotated(carrier, standing, given, forget_old=False)


def test_a_new_account_keeps_what_rotates_as_a_list() -> None:
    assert new_secrets("telnyx", {"public_key": "k"}).secrets == {"public_key": ["k"]}
