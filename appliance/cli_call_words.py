"""How `siaga call` writes calls, callers and indicators for people: one thing a row, what is not known as ---."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.desk_view import CallerView, CallLog, CallRow, DeskView, Figures, FiguresAnswer

UNKNOWN = "---"
WITHHELD = "withheld"


def log(found: CallLog, zone: ZoneInfo) -> list[str]:
    rows = [_row(row, zone) for row in found.calls] or ["No calls that fit."]
    if found.more:
        rows.append(f"There are older ones: --before {found.calls[-1].call}")
    if found.cut:
        rows.append("The search ended before the oldest call: give a day or a line.")
    return rows + _behind(found.behind)


def whole(found: CallLog, call: str, zone: ZoneInfo) -> list[str]:
    """One call with all that its row says."""
    if not found.calls:
        return [f"There is no call {call!r}. siaga call list shows them."]
    row = found.calls[0]
    told = {
        "note": row.note, "place": row.place, "ended by": row.why, "orders": ", ".join(row.alerts),
        "recording": ", ".join(f"{r.file} ({r.seconds:.0f} s)" for r in row.recordings),
        "recording removed": row.recording_removed, "call-back": row.call_back,
    }  # fmt: skip
    return [_row(row, zone), *(f"  {name}: {value}" for name, value in told.items() if value)]


def recording(found: dict[str, Any], folder: Path, saved: str) -> list[str]:
    """Where it lies, whether it is what was recorded, and where a copy went."""
    told = [f"{folder / found['file']}  {found['seconds']:.1f} s  {found['octets']} octets"]
    told.append(
        f"  sha256 {found['sha256']}  " + ("as recorded" if found["right"] else "NOT AS RECORDED: changed since")
    )
    if found["parts"] > 1:
        told.append(f"  the call has {found['parts']} parts: --part 1 to {found['parts']}")
    if saved:
        told.append(f"  copied to {saved}")
    return told


def queue(desk: DeskView, wall: float, zone: ZoneInfo) -> list[str]:
    """Who waits, longest first, with what is remembered of them."""
    rows = []
    for w in desk.queue:
        state = "greeted" if w.greeted else "behind another call" if w.behind else "rings"
        rows.append(f"{w.call}  {w.line:<6} {w.number or WITHHELD:<16} waits {wall - w.since.wall:4.0f} s  {state}")
        rows += _caller(desk.callers.get(w.call), zone)
    rows += [f"{call}  nothing is heard: siaga call mark {call} ghost" for call in desk.ghost_offers]
    rows += [f"{o.number}  marked as prank {o.pranks} times: siaga call block {o.number}" for o in desk.block_offers]
    rows += [f"{b.number}  blocked until {_when(b.until, zone)}, {b.refused} calls refused" for b in desk.blocked]
    return rows or ["Nobody waits."]


def _caller(caller: CallerView | None, zone: ZoneInfo) -> list[str]:
    if caller is None or not (caller.name or caller.calls):
        return []
    rows = [f"    {caller.name or 'earlier'}: {caller.calls} calls before, {caller.pranks} marked as prank"]
    for past in caller.last:
        extra = "  ".join(filter(None, (past.mark, past.note, ", ".join(past.alerts))))
        rows.append(f"    {_when(past.at.wall, zone)}  {past.direction:<3} {past.outcome:<10} {extra}".rstrip())
    return rows


def callbacks(desk: DeskView, _wall: float, zone: ZoneInfo) -> list[str]:
    rows = []
    for back in desk.callbacks:
        now = f"  {back.calling} calls them now" if back.calling else ""
        times = f"{back.times} times since {_when(back.first.wall, zone)}" if back.times > 1 else "once"
        rows.append(
            f"{back.call}  {back.number:<16} {_when(back.last.wall, zone)}  {back.line:<6} {times}  {back.name}{now}"
        )
    return [row.rstrip() for row in rows] or ["Nobody is to be called back."]


def directory(desk: DeskView, _wall: float, _zone: ZoneInfo) -> list[str]:
    rows = [
        f"{a.id:<20} {a.name:<32} {a.kind:<14} {', '.join(a.phone)}  {'/'.join(a.languages)}" for a in desk.directory
    ]
    return rows or ["The directory is empty: [[agency]] in the site file fills it."]


def figures(answer: FiguresAnswer) -> list[str]:
    """Calls that came in; answered is by a person."""
    rows = ["period      calls  answered  abandoned  <=10 s  <=15 s  <=20 s    mean  slowest tenth  greeted  refused"]
    rows += [_figures(day) for day in answer.days]
    rows.append(_figures(answer.whole))
    if answer.cut:
        rows.append("More calls than are counted: ask for its days.")
    return rows + _behind(answer.behind)


def done(told: Mapping[str, Any]) -> str:
    """What an order came to."""
    call = "  ".join(str(told[key]) for key in ("line", "call", "number") if key in told)
    unsafe = "" if told.get("durable", True) else "  It is NOT on disk yet."
    return f"Done. {call}{unsafe}".rstrip()


def proof(told: Mapping[str, Any]) -> str:
    """What a drill of voice came to."""
    if not told["ok"]:
        return f"NOT PROVEN  {told['line']} to {told['other']}: {told['why']}"
    return (
        f"proven  {told['line']} to {told['other']}: both ways, {told['level_db']:.0f} dB, {told['delay_ms']:.0f} ms, "
        f"{told['lost_percent']:.1f} % lost"
    )


def _figures(f: Figures) -> str:
    return (
        f"{f.period:<10} {f.calls:6} {f.answered:9} {f.abandoned:10} {_share(f.in_10_s):>7} {_share(f.in_15_s):>7} "
        f"{_share(f.in_20_s):>7} {_seconds(f.mean_s):>7} {_seconds(f.slowest_tenth_s):>14} {f.greeted:8} {f.refused:8}"
    )


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.1%}"


def _seconds(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{seconds:.1f} s"


def _row(row: CallRow, zone: ZoneInfo) -> str:
    waited = f"{row.waited_s:.0f} s" if row.waited_s is not None else UNKNOWN
    talked = f"{row.talked_s:.0f} s" if row.talked_s is not None else UNKNOWN
    extra = "  ".join(filter(None, (row.person, row.mark, "recorded" if row.recordings else "")))
    return (
        f"{_when(row.wall, zone)}  {row.call}  {row.direction:<3} {row.number or WITHHELD:<16} {row.line:<6} "
        f"{row.outcome:<10} waited {waited:>5}  talked {talked:>6}  {extra}"
    ).rstrip()


def _when(wall: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M:%S")


def _behind(rows: int) -> list[str]:
    return [f"{rows} rows of the journal are not on disk yet, and not in here."] if rows else []
