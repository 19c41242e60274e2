"""The trunk's witnesses: how each is asked, and what counts as its answer. Only what the site names is asked."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from appliance.config import Internet, Trunk
from appliance.model import Layer
from appliance.trunk.witness_machine import ANSWERED
from drivers import default_route, dns_query
from drivers.default_route import NoRoute
from drivers.dns_query import NoName, configured_resolvers
from drivers.ping import NoEcho, Ping
from drivers.sip import NoAnswer, Probe, Response

ANSWER_WITHIN = 2.0  # s; three tries (RFC 3261's T1 doubles), far above any round trip on a city's network
REQUEST_TIMEOUT = 408
SERVER_FAILURE = 500  # and above: the gateway is there but carries no calls


class Look(NamedTuple):
    """One probe's outcome: ANSWERED or the code of why not, and datagrams that were sent and lost."""

    miss: str
    sent: int = 0
    lost: int = 0


class Witness(NamedTuple):
    """`asks` is what people read of whom it asks."""

    layer: str
    asks: str
    poll_s: float
    look: Callable[[], Awaitable[Look]]


def witnesses(trunk: Trunk | None, internet: Internet) -> list[Witness]:
    """Those that the site names."""
    found: list[Witness] = []
    if trunk:
        found.append(Witness(Layer.TRUNK, f"{trunk.host}:{trunk.port}", trunk.poll_s, _sip(trunk)))
    if internet.route:
        found.append(Witness(Layer.ROUTE, "", internet.poll_s, look_route))
    if internet.carrier:
        found.append(Witness(Layer.CARRIER, internet.carrier, internet.poll_s, _carrier(internet.carrier)))
    if internet.dns:
        found.append(Witness(Layer.DNS, internet.dns, internet.poll_s, _dns(internet)))
    return found


def _sip(trunk: Trunk) -> Callable[[], Awaitable[Look]]:
    probe = Probe(trunk.host, trunk.port)

    async def look() -> Look:
        try:
            miss = judge(await probe.ask(ANSWER_WITHIN))
        except NoAnswer as e:
            return Look(e.why, probe.sent, probe.sent)
        return Look(miss, probe.sent, probe.sent - 1)

    return look


def judge(response: Response) -> str:
    """A refusal (405, 404, 403) comes from a gateway that works; 408 and what begins with 5 or 6 does not."""
    broken = response.status == REQUEST_TIMEOUT or response.status >= SERVER_FAILURE
    return f"status_{response.status}" if broken else ANSWERED


async def look_route() -> Look:
    try:
        await default_route.look(ANSWER_WITHIN)
    except NoRoute as e:
        return Look(e.why)
    return Look(ANSWERED)


def _carrier(address: str) -> Callable[[], Awaitable[Look]]:
    ping = Ping(address)

    async def look() -> Look:
        try:
            await ping.ask(ANSWER_WITHIN)
        except NoEcho as e:
            return Look(e.why, 1, 1)
        return Look(ANSWERED, 1)

    return look


def _dns(internet: Internet) -> Callable[[], Awaitable[Look]]:
    async def look() -> Look:
        resolvers = internet.resolvers or configured_resolvers()  # read anew: a new lease brings others
        try:
            await dns_query.ask(internet.dns, resolvers, ANSWER_WITHIN)
        except NoName as e:
            return Look(e.why)
        return Look(ANSWERED)

    return look
