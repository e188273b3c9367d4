"""What a keyword does and whether a contact may be texted: every state by every keyword, and every state by every setting."""

from itertools import product
from typing import Any

import pytest

from roost.core.consent import CONFIRMATION_US, NOTHING, Consent, Heard, Standing, hear, is_lifted, may_text
from roost.core.optout import Keyword
from roost.core.organization import Settings

NOW = 1_780_000_000_000_000
SECOND = 1_000_000


def consent(state: Any, **changes: Any) -> Consent:
    known = dict.fromkeys(Consent._fields)
    return Consent(**{**known, "state": state, "id": "c", **changes})


OPTED_IN = consent("opted_in")
OPTED_OUT = consent("opted_out", opted_out_carrier_at=NOW - 60 * SECOND)
ASKED = consent("pending", challenge_expires_at=NOW + 1)
RAN_OUT = consent("pending", challenge_expires_at=NOW)

OUT, AGAIN = Heard("opted_out", "opt_out", "stop"), Heard("opted_out", "reconfirm", None)
IN, STILL_IN = Heard("opted_in", "opt_in", "start"), Heard("opted_in", "reconfirm", None)
HELP = Heard(None, None, "help")

#: Keyword -> what it does where nothing stands, and in each state.
TABLE = {
    ("opt_out", "STOP"): (OUT, OUT, AGAIN, OUT, OUT),
    ("opt_out", "ARRET"): (OUT, OUT, AGAIN, OUT, OUT),
    ("opt_in", "START"): (IN, STILL_IN, IN, IN, IN),
    ("opt_in", "UNSTOP"): (IN, STILL_IN, IN, IN, IN),
    ("opt_in", "YES"): (NOTHING, NOTHING, IN, IN, NOTHING),
    ("opt_in", "CONFIRM"): (NOTHING, NOTHING, NOTHING, IN, NOTHING),
    ("help", "HELP"): (HELP, HELP, NOTHING, HELP, HELP),
    ("help", "INFO"): (HELP, HELP, NOTHING, HELP, HELP),
}
STATES = (None, OPTED_IN, OPTED_OUT, ASKED, RAN_OUT)


@pytest.mark.parametrize(
    ("keyword", "standing", "heard"),
    [
        (Keyword(kind, word), standing, heard)  # type: ignore[arg-type]
        for (kind, word), row in TABLE.items()
        for standing, heard in zip(STATES, row, strict=True)
    ],
)
def test_what_a_keyword_does(keyword: Keyword, standing: Consent | None, heard: Heard) -> None:
    assert hear(keyword, standing, NOW, NOW) == heard


STOP, START = Keyword("opt_out", "STOP"), Keyword("opt_in", "START")


@pytest.mark.parametrize("late_us", [-SECOND, 0, CONFIRMATION_US + 1, 3600 * SECOND])
def test_an_opt_out_holds_and_is_confirmed_however_late_it_comes(late_us: int) -> None:
    assert hear(STOP, OPTED_IN, NOW - late_us, NOW) == OUT


def test_an_opt_in_that_is_older_than_the_opt_out_does_not_lift_it() -> None:
    stopped_at = NOW - 60 * SECOND
    assert hear(START, OPTED_OUT, stopped_at - 1, NOW) == NOTHING
    assert hear(START, OPTED_OUT, stopped_at, NOW) == IN
    assert is_lifted(OPTED_OUT, None), "what did not come by text is for whoever brings it to judge"
    assert is_lifted(consent("opted_out"), 0)


@pytest.mark.parametrize(
    ("state", "elsewhere", "wrote", "required", "scope"),
    list(product(
        [None, "pending", "opted_in", "opted_out"], [False, True], [None, "m"], [False, True], ["number", "organization"]
    )),
)  # fmt: skip
def test_who_may_be_texted(state: Any, elsewhere: bool, wrote: str | None, required: bool, scope: Any) -> None:
    standing = Standing(state, opted_out_anywhere=elsewhere or state == "opted_out", wrote_first_id=wrote)
    settings = Settings(consent_required=required, opt_out_scope=scope)
    if state == "opted_out" or (elsewhere and scope == "organization"):
        allowed = False
    elif state == "opted_in":
        allowed = True
    else:
        allowed = bool(wrote) or not required
    assert may_text(standing, settings) is allowed
