"""One-time codes: a table of texts, and what holds for any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.otp import Otp, find_otp
from support.otp_texts import NO_OTP, OTP_TEXTS, Text


@pytest.mark.parametrize("text", OTP_TEXTS, ids=lambda text: text.body[:60])
def test_the_code_is_found_with_its_service_and_its_domain(text: Text) -> None:
    assert find_otp(text.body) == Otp(text.code or "", text.service, text.domain)


@pytest.mark.parametrize("text", NO_OTP, ids=lambda text: text.body[:60])
def test_what_is_no_one_time_code_is_none(text: Text) -> None:
    assert find_otp(text.body) is None


CODES = st.text("0123456789", min_size=4, max_size=8)
SERVICES = st.sampled_from(["Acme", "Bank of Nowhere", "eBay", "T-Mobile", "Booking.com", "Яндекс", "Österreich Post"])
WORDINGS = (
    "{code} is your {service} verification code",
    "Your {service} code is {code}. It expires in 10 minutes.",
    "{service}: Your code is {code}",
    "[{service}] {code} is your security code",
    "Use {code} to log in to {service}.",
    "Your verification code for {service}: {code}",
    "Tu código de {service} es {code}",
    "Votre code de vérification {service} est {code}",
)


@given(code=CODES, service=SERVICES, wording=st.sampled_from(WORDINGS))
def test_any_code_of_any_service_is_found_in_the_usual_wordings(code: str, service: str, wording: str) -> None:
    assert find_otp(wording.format(code=code, service=service)) == Otp(code, service)


@given(
    code=CODES, host=st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z][a-z0-9]{0,8}){0,2}\.(com|dev|co\.uk)", fullmatch=True)
)
def test_an_origin_bound_code_is_exact_whatever_stands_before_it(code: str, host: str) -> None:
    found = find_otp(f"Order 777123 over 48.29 EUR, ref 99887766.\n\n@{host.upper()} #{code}")
    assert found is not None
    assert (found.code, found.domain) == (code, host)


PIECES = st.sampled_from(
    ["OTP ", "code", " is ", "482913", "4829-1345", "G-", "@a.example #", "\n", "验证码", "٤٨", "【", "】", "$", "#", "https://",
     "Your ", "Acme", ". ", "one-time ", "\u2066", "️", "ﷺ", "<#>", "A1B2C3", "código de ", "order "]
)  # fmt: skip


@given(body=st.text() | st.lists(PIECES | st.characters(), max_size=80).map("".join))
def test_no_text_is_too_odd(body: str) -> None:
    found = find_otp(body)
    if found is not None:
        assert re.fullmatch(r"\S{3,24}", found.code)
        assert re.search(r"[0-9]", found.code), "a code has a digit"
        assert found.service is None or 1 <= len(found.service) <= 40
        assert "\n" not in (found.service or "")
        assert found.domain is None or re.fullmatch(r"[a-z0-9.-]+", found.domain)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "otp 4829 ",
        "A-1-",
        "1.",
        "A1B2C ",
        "\n@a.bc #1",
        "@a.",
        "验证码4829",
        "código de ",
        "the A ",
        "ﷺ",
        "[",
        " ",
        "\n",
    ],
)
def test_a_hostile_text_costs_no_more_than_its_first_two_thousand_characters(piece: str) -> None:
    """Five million characters: whatever looked at all of them, or went back and forth, would not come to an end."""
    hostile = piece * (5_000_000 // len(piece))
    assert find_otp(hostile) == find_otp(hostile[:2048])
    assert find_otp(hostile + " Your code is 482913") == find_otp(hostile)
