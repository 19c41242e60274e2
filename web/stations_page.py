"""The page of stations: what is wrong lives, all of them are a list of this moment that is searched and paged."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from web.scene import Scene
from web.supervision_rows import station_lines

READ = 24  # abnormal stations on the live part; more nobody reads, and the list has them
LISTED = 50  # rows of the list on one page
SHOWS = ("abnormal", "locked", "all")


def stations_panel(scene: Scene) -> dict[str, Any]:
    lines = station_lines(scene)
    abnormal = [line for line in lines if line.abnormal]
    tones = [(tone, sum(1 for x in lines if x.rank == rank)) for rank, tone in enumerate(("p1", "p2", "p3"))]
    return {
        "lines": abnormal[:READ],
        "hidden": max(0, len(abnormal) - READ),
        "count": len(lines),
        "well": len(lines) - len(abnormal),
        "tones": [(tone, count) for tone, count in tones if count],
        "locked": sum(1 for line in lines if line.locked),
        "lost": scene.view.supervision.lost_s if scene.view.supervision else None,
        "told": scene.view.supervision is not None,
    }


def station_list(scene: Scene, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the list, as it is at this moment. `show` without a word: all when any is searched for, else all."""
    wanted = query.get("q", "").strip()[:40]
    show = query.get("show", "all")
    show = show if show in SHOWS else "all"
    number = int(query["page"]) if query.get("page", "").isdecimal() and len(query["page"]) < 5 else 1
    found = [
        line for line in station_lines(scene)
        if (wanted.casefold() in line.name.casefold() or wanted.casefold() in line.id)
        and (show == "all" or (line.locked if show == "locked" else line.abnormal))
    ]  # fmt: skip
    pages = max(1, -(-len(found) // LISTED))
    number = min(max(1, number), pages)

    def to(page: int) -> str:
        return "?" + urlencode({"q": wanted, "show": show, "page": page}) + "#all-stations"

    return {
        "q": wanted, "show": show, "shows": SHOWS, "found": len(found), "number": number, "pages_of": pages,
        "rows": found[(number - 1) * LISTED : number * LISTED],
        "before": to(number - 1) if number > 1 else "", "next": to(number + 1) if number < pages else "",
    }  # fmt: skip
