"""`roost retention`: what an operator sees and does."""

from pathlib import Path

from support.commands import environment, roost_json
from support.databases import Database
from support.house import House
from support.payloads import bandwidth_inbound
from support.sweeping import DAY_US


def test_an_operator_sees_since_when_messages_are_kept_and_sweeps(
    house: House, database: Database, tmp_path: Path
) -> None:
    env = environment(database, tmp_path / "data")
    old, new = house.tenant(), house.tenant()
    house.clock.offset_us = -40 * DAY_US
    house.deliver(old, [bandwidth_inbound("1", old.number.number)])
    house.clock.offset_us = 0
    house.deliver(new, [bandwidth_inbound("1", new.number.number)])
    shown = roost_json("retention", "show", env=env)
    assert [(each["org_id"], each["message_retention_days"], each["to_be_swept"]) for each in shown] == [
        (old.org.org_id, 30, ["inbound_messages"]),
        (new.org.org_id, 30, []),
    ]
    assert shown[0]["oldest_inbound_message"] < shown[0]["kept_since"] < shown[1]["oldest_inbound_message"]
    assert 9 * 86400 < shown[0]["overdue_seconds"] < 11 * 86400
    swept = roost_json("retention", "sweep", env=env)
    assert {table: count for table, count in swept.items() if count} == {"inbound_messages": 1}
    [after] = roost_json("retention", "show", "--org", old.org.org_id, env=env)
    assert (after["overdue_seconds"], after["oldest_inbound_message"], after["to_be_swept"]) == (0, None, [])
