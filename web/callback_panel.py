"""Whom to call back, and whom the box does not let in: lists of the desk under the telephone."""

from typing import Any, NamedTuple

from appliance.desk_view import DeskView
from appliance.view import View
from web.scene import Scene


class BackRow(NamedTuple):
    """`to` is empty for a viewer who may not call. `calling`: somebody does so now."""

    call: str
    to: str
    number: str
    name: str
    told: str
    calling: bool


class BlockRow(NamedTuple):
    """`number` as core knows it, empty for a viewer without login."""

    number: str
    shown: str
    told: str


def callbacks_panel(scene: Scene) -> dict[str, Any]:
    desk = scene.view.desk or DeskView()
    words = scene.words
    backs = [
        BackRow(
            b.call, b.number if scene.known else "", scene.number(b.number or None), b.name if scene.known else "",
            words("back.times", count=b.times, clock=scene.clock(b.last)) if b.times > 1 else scene.clock(b.last),
            bool(b.calling),
        )
        for b in desk.callbacks
    ]  # fmt: skip
    blocked = [
        BlockRow(
            b.number if scene.known else "", scene.number(b.number),
            words("block.told", until=words.clock(b.until, scene.wall), why=words.code("block.why", b.why),
                  count=b.refused),
        )
        for b in desk.blocked
    ]  # fmt: skip
    offers = [
        BlockRow(o.number if scene.known else "", scene.number(o.number), words("caller.pranks", count=o.pranks))
        for o in desk.block_offers
    ]
    return {"backs": backs, "blocked": blocked, "offers": offers}


def callbacks_inputs(view: View) -> object:
    desk = view.desk or DeskView()
    return desk.callbacks, desk.blocked, desk.block_offers
