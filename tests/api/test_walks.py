"""Whatever the filters, the page size and what arrives meanwhile: a walk equals the model."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.house import House
from support.payloads import bandwidth_inbound

SENDERS = ["+15554443333", "+15556667777", "68849", "SUPPORT"]
BODIES = ["Hello", "STOP", "stop all", "please stop texting me", ""]
MEDIA: list[list[str]] = [[], ["https://example.com/a.jpg"]]

TEXTS = st.tuples(st.sampled_from(SENDERS), st.integers(0, 1), st.sampled_from(BODIES), st.sampled_from(MEDIA))
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "from": st.sampled_from([*SENDERS, "+19999999999"]),
        "to": st.integers(0, 1),
        "phone_number_id": st.integers(0, 1),
        "channel": st.sampled_from(["sms", "mms"]),
        "opt_out": st.sampled_from(["true", "false"]),
        "since": st.integers(0, 40),
        "after": st.integers(0, 40),
    },
)


def _matches(message: dict[str, Any], params: dict[str, Any]) -> bool:
    """The filters again, said another way: over whole messages, one by one."""
    return (
        params.get("from", message["from"]) == message["from"]
        and params.get("to", message["to"]) == message["to"]
        and params.get("phone_number_id", message["phone_number_id"]) == message["phone_number_id"]
        and params.get("channel", message["channel"]) == message["channel"]
        and params.get("opt_out", str(message["opt_out"]["detected"]).lower())
        == str(message["opt_out"]["detected"]).lower()
        and message["received_at"] >= params.get("since", "")
        and message["id"] > params.get("after", "")
    )


class _World:
    """One organization with two numbers, which grows from example to example."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tenant = house.tenant()
        second = house.wait(
            house.directory.add_number(
                self.tenant.org.org_id, "+15551113333", self.tenant.account.id, self.tenant.agent.id, ""
            )
        )
        assert second is not None
        self.numbers = [self.tenant.number, second]
        self.count = 0
        self.messages: list[dict[str, Any]] = []

    def arrive(self, texts: list[tuple[str, int, str, list[str]]]) -> None:
        batch = []
        for sender, number, body, media in texts:
            self.count += 1
            changes = {"media": media} if media else {}
            to = self.numbers[number].number
            batch.append(bandwidth_inbound(f"id-{self.count}", to, sender=sender, text=body, **changes))
        if batch:
            ids = self.house.deliver(self.tenant, batch).json()["ids"]
            assert len(ids) == len(batch)
            for message_id in ids:
                answer = self.house.http.get(f"/v1/inbound-messages/{message_id}", headers=self.tenant.auth)
                self.messages.append(answer.json()["data"])

    def params(self, drawn: dict[str, Any]) -> dict[str, str]:
        """Drawn indexes as the values that exist."""
        params = dict(drawn)
        if "to" in params:
            params["to"] = self.numbers[params["to"]].number
        if "phone_number_id" in params:
            params["phone_number_id"] = self.numbers[params["phone_number_id"]].id
        for name, key in (("since", "received_at"), ("after", "id")):
            if name in params:
                params[name] = self.messages[params[name] % len(self.messages)][key]
        return params

    def page(self, path: str, params: dict[str, Any], headers: dict[str, str]) -> Any:
        answer = self.house.http.get(path, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer


def test_any_walk_of_dialect_a_equals_the_model(house: House) -> None:
    world = _World(house)
    world.arrive([(SENDERS[n % 4], n % 2, BODIES[n % 5], MEDIA[n % 3 == 0]) for n in range(12)])

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=FILTERS, limit=st.integers(1, 9), arriving=st.lists(st.lists(TEXTS, max_size=2), max_size=4))
    def walk(drawn: dict[str, Any], limit: int, arriving: list[Any]) -> None:
        params: dict[str, Any] = {**world.params(drawn), "limit": limit}
        before = list(world.messages)
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = world.page("/v1/inbound-messages", {**params, **cursor}, world.tenant.auth).json()
            seen += page["data"]
            if page["meta"]["next_cursor"] is None:
                break
            assert len(page["data"]) == limit, "a page is short only at the end"
            cursor = {"cursor": page["meta"]["next_cursor"]}
            world.arrive(arriving.pop() if arriving else [])
        if "after" in params:  # forwards, a walk meets what arrived meanwhile
            assert seen == [message for message in world.messages if _matches(message, params)][: len(seen)]
            assert len(seen) >= len([message for message in before if _matches(message, params)])
        else:  # backwards, it does not
            assert seen == [message for message in reversed(before) if _matches(message, params)]

    walk()


def test_any_poller_of_dialect_b_sees_every_message_once(house: House) -> None:
    world = _World(house)
    world.arrive([(SENDERS[n % 4], n % 2, BODIES[n % 5], []) for n in range(7)])

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        start=st.integers(0, 40),
        limit=st.integers(1, 6),
        sender=st.one_of(st.none(), st.sampled_from(SENDERS)),
        arriving=st.lists(st.lists(TEXTS, max_size=3), max_size=4),
    )
    def poll(start: int, limit: int, sender: str | None, arriving: list[Any]) -> None:
        since = world.messages[start % len(world.messages)]["received_at"]
        first, chosen = since, {} if sender is None else {"from": sender}
        seen: list[str] = []
        while True:
            answer = world.page(
                "/v1/tools/sms/inbox", {"since": since, "limit": limit, **chosen}, world.tenant.agent_header
            )
            messages = answer.json()["messages"]
            seen += [message["received_at"] for message in reversed(messages)]
            since = messages[0]["received_at"] if messages else since
            if answer.headers.get("x-has-more") != "true":
                if not arriving:
                    break
                world.arrive(arriving.pop())
        expected = [
            m["received_at"] for m in world.messages if m["received_at"] > first and sender in (None, m["from"])
        ]
        assert seen == expected

    poll()
