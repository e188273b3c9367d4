"""The ledger of consent and the state that follows from it, on both databases."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.core.consent import Consent
from roost.core.ids import uuid7
from roost.store import consent as ledger
from roost.store.consent import ConsentEvent, Evidence, Pair
from support.house import House, Tenant
from support.sends import queue, state_of

ALICE, BOB = "+15554443333", "+15554443334"
BY_API = Evidence("api", "checkbox")


def stop(carrier_at: int | None = None) -> Evidence:
    return Evidence("inbound_reply", "sms_keyword", "STOP", uuid7(7, 7), carrier_at)


def start(carrier_at: int | None = None) -> Evidence:
    return Evidence("inbound_reply", "sms_keyword", "START", uuid7(8, 8), carrier_at)


def pair(tenant: Tenant, contact: str = ALICE) -> Pair:
    return Pair(tenant.org.org_id, tenant.number.id, tenant.number.number, contact)


def record(house: House, what: str, to: Pair, evidence: Evidence, *scope: Any) -> Consent:
    recorder = {"opt_in": ledger.record_opt_in, "opt_out": ledger.record_opt_out}[what]
    return house.wait(house.store.transact(lambda tx: recorder(tx, to, evidence, *scope)))


def standing(house: House, of: Pair) -> Consent | None:
    return house.wait(ledger.consent_of(house.store, of.org_id, of.number, of.contact_number))


def history(house: House, consent: Consent) -> list[ConsentEvent]:
    return house.wait(ledger.history(house.store, consent.org_id, consent.id, 1000))[0]


def test_nothing_stands_before_anything_was_said(house: House) -> None:
    assert standing(house, pair(house.tenant())) is None


def test_an_opt_in_stands_until_an_opt_out_and_the_ledger_has_both_with_their_evidence(house: House) -> None:
    alice = pair(house.tenant())
    first = record(house, "opt_in", alice, Evidence("api", "checkbox", agreement_text_hash="ab", details={"ip": "::1"}))
    assert (first.state, first.opted_in_at, first.opted_out_at) == ("opted_in", first.updated_at, None)
    second = record(house, "opt_out", alice, stop(1_000_000))
    assert standing(house, alice) == second
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert (second.state, second.opted_in_at, second.opted_out_at) == (
        "opted_out",
        first.opted_in_at,
        second.updated_at,
    )
    assert second.opted_out_carrier_at == 1_000_000
    out, in_ = history(house, first)
    assert (out.event, out.evidence, out.occurred_at) == ("opt_out", stop(1_000_000), second.updated_at)
    assert (in_.event, in_.evidence.agreement_text_hash, in_.evidence.details) == ("opt_in", "ab", {"ip": "::1"})


def test_saying_the_same_again_is_a_reconfirmation_which_keeps_since_when_it_stands(house: House) -> None:
    alice = pair(house.tenant())
    first = record(house, "opt_out", alice, stop(5_000_000))
    again = record(house, "opt_out", alice, stop(9_000_000))
    late = record(house, "opt_out", alice, stop(2_000_000))
    assert again.opted_out_at == late.opted_out_at == first.opted_out_at
    assert again.opted_out_carrier_at == late.opted_out_carrier_at == 9_000_000
    assert [event.event for event in history(house, first)] == ["reconfirm", "reconfirm", "opt_out"]


def test_an_opt_out_that_no_carrier_brought_stands_since_it_was_recorded(house: House) -> None:
    made = record(house, "opt_out", pair(house.tenant()), Evidence("api"))
    assert made.opted_out_carrier_at == made.updated_at
    assert made.consent_method == "attested"


def test_what_one_contact_says_to_one_number_of_one_organization_is_nobody_elses(house: House) -> None:
    tenant, other = house.tenant(), house.tenant()
    record(house, "opt_out", pair(tenant), stop())
    assert standing(house, pair(tenant, BOB)) is None
    assert standing(house, pair(other)) is None
    assert standing(house, pair(tenant)._replace(number="+15550009999")) is None
    found = standing(house, pair(tenant))
    assert found is not None
    assert house.wait(ledger.consent_by_id(house.store, other.org.org_id, found.id)) is None
    assert house.wait(ledger.history(house.store, other.org.org_id, found.id, 9)) == ([], False)


def test_with_the_organizations_scope_an_opt_in_lifts_what_is_not_newer_than_it(house: House) -> None:
    tenant = house.tenant()
    here = pair(tenant)
    old, new = (here._replace(number=f"+1555000900{n}", phone_number_id=uuid7(n, n)) for n in (1, 2))
    for each, at in ((here, 1_000_000), (old, 2_000_000), (new, 9_000_000)):
        record(house, "opt_out", each, stop(at))
    elsewhere = pair(house.tenant())
    record(house, "opt_out", elsewhere, stop(1))
    record(house, "opt_in", here, start(5_000_000), "organization")
    states = [found.state for each in (here, old, new, elsewhere) if (found := standing(house, each))]
    assert states == ["opted_in", "opted_in", "opted_out", "opted_out"]


def test_an_opt_in_lifts_its_own_number_only_as_long_as_nothing_else_is_set(house: House) -> None:
    here = pair(house.tenant())
    there = here._replace(number="+15550009001")
    for each in (here, there):
        record(house, "opt_out", each, stop())
    record(house, "opt_in", here, start())
    found = standing(house, there)
    assert found is not None and found.state == "opted_out"


def test_a_keyword_inside_a_double_opt_in_records_what_was_agreed_to(house: House) -> None:
    alice = pair(house.tenant())
    asked = house.wait(house.store.transact(lambda tx: ledger.open_challenge(tx, alice, uuid7(1, 1), "I agree")))
    assert asked.state == "pending" and asked.challenge_expires_at == asked.updated_at + ledger.CHALLENGE_US
    made = record(house, "opt_in", alice, start()._replace(keyword="YES"))
    assert (made.state, made.consent_method, made.challenge_id) == ("opted_in", "double_opt_in", None)
    (event,) = history(house, made)
    assert event.evidence.agreement_text_hash == ledger.hash_of("I agree")


def test_a_challenge_that_ran_out_agrees_to_nothing_and_is_in_the_ledger_when_the_next_one_opens(house: House) -> None:
    alice = pair(house.tenant())
    asked = house.wait(house.store.transact(lambda tx: ledger.open_challenge(tx, alice, uuid7(1, 1), "I agree")))
    house.clock.offset_us = ledger.CHALLENGE_US
    again = house.wait(house.store.transact(lambda tx: ledger.open_challenge(tx, alice, uuid7(2, 2), "I agree")))
    assert again.challenge_id != asked.challenge_id
    house.clock.offset_us *= 2
    made = record(house, "opt_in", alice, start())
    assert (made.consent_method, made.state) == ("sms_keyword", "opted_in")
    assert [event.event for event in history(house, made)] == ["opt_in", "expired"]


def test_a_contact_who_wrote_first_has_opted_in_with_that_text_as_evidence(house: House) -> None:
    alice = pair(house.tenant())
    ids = (alice.org_id, alice.number, alice.phone_number_id, alice.contact_number)
    made = house.wait(house.store.transact(lambda tx: ledger.record_implied(tx, *ids, uuid7(3, 3))))
    (event,) = history(house, made)
    assert (made.state, made.source, event.evidence.message_id) == ("opted_in", "inbound_message", uuid7(3, 3))


def test_an_opt_out_cancels_what_is_queued_withdraws_what_is_leased_and_leaves_what_was_perhaps_sent(
    house: House,
) -> None:
    tenant = house.tenant()
    ids = {state: queue(house, tenant, ALICE, state) for state in ("queued", "waiting", "held", "leased", "uncertain")}
    to_bob = queue(house, tenant, BOB, "queued")
    elsewhere = queue(house, tenant, ALICE, "queued", from_number="+15550009001")
    record(house, "opt_out", pair(tenant), stop())
    for state in ("queued", "waiting", "held"):
        assert state_of(house, tenant, ids[state]) == (None, None, "failed", "CONSENT_REQUIRED")
    assert state_of(house, tenant, ids["leased"]) == ("leased", "CONSENT_REQUIRED", "queued", None)
    assert state_of(house, tenant, ids["uncertain"]) == ("uncertain", None, "queued", None)
    for untouched in (to_bob, elsewhere):
        assert state_of(house, tenant, untouched) == ("queued", None, "queued", None)


def test_with_the_organizations_scope_an_opt_out_cancels_what_any_number_has_queued(house: House) -> None:
    tenant, other = house.tenant(), house.tenant()
    elsewhere = queue(house, tenant, ALICE, "queued", from_number="+15550009001")
    foreign = queue(house, other, ALICE, "queued")
    record(house, "opt_out", pair(tenant), stop(), "organization")
    assert state_of(house, tenant, elsewhere) == (None, None, "failed", "CONSENT_REQUIRED")
    assert state_of(house, other, foreign) == ("queued", None, "queued", None)


def test_a_second_opt_out_leaves_the_one_confirmation_of_the_first_on_its_way(house: House) -> None:
    tenant = house.tenant()
    help_text = queue(house, tenant, ALICE, "queued", purpose="auto_reply")
    record(house, "opt_out", pair(tenant), stop())
    assert state_of(house, tenant, help_text) == (None, None, "failed", "CONSENT_REQUIRED")
    confirmation = queue(house, tenant, ALICE, "queued", purpose="auto_reply")
    record(house, "opt_out", pair(tenant), stop())
    assert state_of(house, tenant, confirmation) == ("queued", None, "queued", None)


SAID = st.lists(st.tuples(st.sampled_from(["opt_in", "opt_out"]), st.integers(0, 1), st.integers(0, 1)), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=SAID)
def test_whatever_is_said_the_ledger_only_grows_and_its_end_is_how_it_stands(house: House, said: list[Any]) -> None:
    tenant = house.tenant()
    model: dict[Pair, list[str]] = {}
    seen: dict[Pair, list[ConsentEvent]] = {}
    newest = 0
    for what, contact, number in said:
        numbers = (tenant.number.number, "+15550009001")
        to = pair(tenant, (ALICE, BOB)[contact])._replace(number=numbers[number])
        made = record(house, what, to, BY_API)
        before = [event for event in model.setdefault(to, []) if event != "reconfirm"]
        model[to].append("reconfirm" if before[-1:] == [what] else what)
        assert made.updated_at > newest, "each change has a position of its own, and later ones are greater"
        newest = made.updated_at
        events = history(house, made)[::-1]
        assert events[: len(seen.get(to, []))] == seen.get(to, []), "what was written stays as it was"
        assert [event.event for event in events] == model[to]
        seen[to] = events
        assert made.state == {"opt_in": "opted_in", "opt_out": "opted_out"}[what]
        assert standing(house, to) == made
