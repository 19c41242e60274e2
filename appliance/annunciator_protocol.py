"""What core and the annunciator say to each other, one JSON object a line. Both ends import it from here.

Requests are strict; answers and pushes tolerate fields of a newer version, for the two restart apart from each other.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.model import AlertKind

OrderId = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,64}$")]
AnyOrderId = Annotated[str, Meta(min_length=1, max_length=64)]  # the annunciator's own are local-1, local-2 ...
Seconds = Annotated[float, Meta(gt=0, le=3600)]
MOST_LOCKED = 65_535 * 60.0  # s, as an order can say
MOST_STOPPED = 256  # orders in one stop; as many as are remembered


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    pass


class Hello(_Request, frozen=True, tag="hello"):
    """Who says it is core: presses are offered to it from now on. Answer: Standing."""

    id: int | None = None


class Look(_Request, frozen=True, tag="look"):
    """The same answer, for a reader of status."""

    id: int | None = None


class Sound(_Request, frozen=True, tag="sound"):
    """Sound one order, once. Answer: Sounding.

    Only `actual` and `sounding_test` sound; the others are refused ("not_allowed") whatever else is right. `priority`:
    1 is the highest; of orders that overlap its pattern plays, among equals the newest one's. `level`: percent of
    loudness, for outputs with `pwm`; a relay knows only on.
    """

    order: OrderId
    output: str
    pattern: str
    seconds: Seconds
    kind: AlertKind = AlertKind.ACTUAL
    priority: Annotated[int, Meta(ge=1, le=3)] = 1
    level: Annotated[int, Meta(ge=1, le=100)] = 100
    id: int | None = None


class Stop(_Request, frozen=True, tag="stop"):
    """End these orders wherever they sound, and refuse them if they come later. Answer: Stopped."""

    orders: Annotated[tuple[AnyOrderId, ...], Meta(max_length=MOST_STOPPED)]
    id: int | None = None


class Silence(_Request, frozen=True, tag="silence"):
    """End every order on one output. Answer: Stopped."""

    output: str
    id: int | None = None


class Light(_Request, frozen=True, tag="light"):
    """Switch a light or a lamp. Answer: {"on": bool}: still on after off, when it also follows a siren."""

    output: str
    on: bool
    id: int | None = None


class Hold(_Request, frozen=True, tag="hold"):
    """Close or open the contact that starts a generator. It opens when core leaves. Answer: {"on": bool}."""

    output: str
    on: bool
    id: int | None = None


class Lock(_Request, frozen=True, tag="lock"):
    """Sirens and buzzers that are out of service for so long from now, 0: no more. What sounds on them is silenced.

    While it lasts each order on them is refused ("locked_out") and a press of the button sounds nothing on them.
    Answer: {"locked": [names]}.
    """

    outputs: Annotated[tuple[str, ...], Meta(max_length=32)]
    seconds: Annotated[float, Meta(ge=0, le=MOST_LOCKED)]
    id: int | None = None


class Take(_Request, frozen=True, tag="take"):
    """Core takes a press upon itself; refused when it came too late. Answer: {"taken": n}."""

    press: int
    id: int | None = None


class Reload(_Request, frozen=True, tag="reload"):
    """The file was changed: take it over. What is on is not touched; its change waits until it is off. Answer: Rewired.

    Refused whole ("wiring", "restart") when the file is wrong, or when it changes what only a start can.
    """

    id: int | None = None


Request = Hello | Look | Sound | Stop | Silence | Light | Hold | Lock | Take | Reload


class Rewired(msgspec.Struct, frozen=True):
    """`taken`: lines that are claimed anew. `waiting`: names whose change comes when they, or their pin's, are off."""

    taken: tuple[str, ...]
    waiting: tuple[str, ...]


class Sounding(msgspec.Struct, frozen=True):
    """`energised`: the line read back on. `remaining_s`: of this order. `ended`: why a repeated order is over."""

    energised: bool
    remaining_s: float
    ended: str | None = None


class Stopped(msgspec.Struct, frozen=True):
    """`stopped`: the orders that had been sounding. `still_on`: some output that sounded them is on."""

    stopped: tuple[str, ...]
    still_on: bool


class OutputState(msgspec.Struct, frozen=True):
    """`on`: the line. `remaining_s` is None for what has no end. `stuck`: it does not open, `fault` says how that is
    known: the line reads on, or a contact of kind current or feedback stays closed."""

    on: bool
    order_ids: tuple[str, ...]
    remaining_s: float | None
    fault: str | None = None
    stuck: bool = False


class Standing(msgspec.Struct, frozen=True):
    """All that is so at the annunciator. `started_at` is loop time; `faults`: lines that could not be claimed.

    `locked`: seconds that are left by output. `barred_s`: so long ago a press sounded nothing because of a lockout.
    """

    outputs: dict[str, OutputState]
    inputs: dict[str, bool]
    started_at: float
    local_only: bool
    faults: dict[str, str] = {}
    locked: dict[str, float] = {}
    barred_s: float | None = None


class OutputChange(msgspec.Struct, frozen=True):
    """Push. `on`: the output's state now; `order`: whose sound it was, of sirens and buzzers only; `at`: loop time.

    `why`: ordered, local (the button, by itself), ended (its time was over), limit (the output's longest time ended
    it), stopped, silenced, failed (the line did not read back), left (core, that held it, is gone), follows (it goes
    with its siren), stuck (switched off and not off since 2 s; `on` may be false: the line is off and the relay not),
    released (it was stuck, and is off at last).
    """

    output: str
    on: bool
    order: str | None
    why: str
    at: float


class InputChange(msgspec.Struct, frozen=True):
    """Push: a contact closed (active) or opened."""

    input: str
    active: bool
    at: float


class Pressed(msgspec.Struct, frozen=True):
    """Push: the red button was pressed; whoever takes it in time sounds what it means."""

    press: int
    button: str
    at: float


class Barred(msgspec.Struct, frozen=True):
    """Push: the red button was pressed, nobody took it, and its siren is locked out: nothing sounded."""

    barred: int  # the press
    button: str
    at: float
