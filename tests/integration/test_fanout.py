"""An order to many simulated stations over a real broker and a real core: each gets its own, each answer counts."""

from pathlib import Path

from appliance.journal import follow_chain
from appliance.journal_file import read_entries
from drivers.jsonsocket import Client
from tests.bench.fanout import Watcher, one_order
from tests.bench.fanout_site import fanout_site

STATIONS = 50


async def test_each_of_many_stations_gets_its_own_order_and_each_answer_is_journaled_and_shown(tmp_path: Path) -> None:
    async with fanout_site(tmp_path, STATIONS) as site:
        assert site.stations is not None
        await site.stations.report()
        client, watcher = Client(site.control), Watcher(site)
        await client.connect()
        await watcher.open()
        try:
            order = await one_order(site, client, watcher)
        finally:
            client.close()
            watcher.close()
        report = await site.stations.report()
        journal = site.journal
    assert order.shown is not None
    assert report["wrong"] == 0, "each was signed by the centre"
    assert report["orders"] >= 2 * STATIONS
    entries = list(read_entries(journal))
    assert follow_chain(entries) is None
    for kind in ("delivery.energised", "delivery.ended"):
        told = [entry.subject.split("/")[1] for entry in entries if entry.kind == kind]
        assert sorted(told) == site.names, f"{kind}: each station once"
    assert not [entry for entry in entries if entry.kind in ("delivery.send_failed", "answer.refused")]
