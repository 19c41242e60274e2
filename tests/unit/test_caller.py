"""What becomes of a call to a station's phone on a box that cannot speak."""

import asyncio
from typing import Any

from appliance.alert_events import DeliverySendFailed, DeliverySent
from appliance.alerting.caller import Caller, NoTelephone
from appliance.config import Station
from appliance.event import Event
from appliance.model import AlertKind, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery, State

AT = Stamp(seq=1, wall=0.0, mono=0.0, boot="b")
STATION = Station(id="damkar", number=7, name="Damkar", phone="+62811000007")


async def test_a_call_without_a_line_that_speaks_came_to_nothing_and_the_journal_says_why() -> None:
    told: list[Event] = []
    woken: list[None] = []
    journal: Any = told.append
    caller = Caller(state=State(), append=journal, telephone=NoTelephone(), wake=lambda: woken.append(None))
    assert (caller.able(), caller.free()) == (False, 0)
    alert = Alert("ab", AlertKind.ACTUAL, "wail", 60, 300, 0, ("damkar",), "page", "", AT)
    async with asyncio.TaskGroup() as caller.group:
        caller.call(alert, Delivery("damkar", DeliveryState.SENT, AT), STATION, "start")
    assert told == [
        DeliverySent(alert="ab", station="damkar", path=Path.VOICE, action="start", sequence=0),
        DeliverySendFailed(alert="ab", station="damkar", path=Path.VOICE, action="start", reason="no_line"),
    ]
    assert caller.under_way == 0
    assert caller.calling("ab", "damkar") == ("", False)
    assert woken
