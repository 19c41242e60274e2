"""The doctor at the processes: do annunciator, core and page answer, and what does systemd say of the units."""

import asyncio
from collections.abc import Iterable, Iterator

import msgspec

from appliance.annunciator_protocol import Standing
from appliance.doctor import Finding, Patient, bad, good, warn
from appliance.view import View
from drivers.jsonsocket import Client, Gone, Refusal

ANSWER_WITHIN = 3.0  # s
UNITS = ("annunciator", "core", "audio", "web")
MANY_RESTARTS = 3


async def annunciator(patient: Patient) -> Iterable[Finding]:
    """Its pins, and whether a siren could sound now."""
    client = Client(patient.annunciator)
    try:
        await client.connect()
        standing = msgspec.convert(await client.request({"do": "look"}, timeout=ANSWER_WITHIN), Standing)
    except (Gone, Refusal) as e:
        return [bad("annunciator", str(e), "systemctl status siaga-annunciator; until then NO SIREN SOUNDS HERE.")]
    finally:
        client.close()
    return [*_pins(standing)] or [
        good("annunciator", f"{len(standing.outputs)} outputs, {len(standing.inputs)} inputs")
    ]


def _pins(standing: Standing) -> Iterator[Finding]:
    for name, fault in standing.faults.items():
        yield bad(f"pin {name}", fault, "siaga wiring; is another program using the pin?")
    for name, output in standing.outputs.items():
        if output.stuck:
            yield bad(f"output {name}", output.fault or "does not open", "Cut its supply; look at relay and contactor.")
        elif output.fault:
            yield bad(f"output {name}", output.fault, "Check its wiring for a short (siaga wiring).")
    for name, left in standing.locked.items():
        yield warn(
            f"output {name}", f"locked out for {left / 60:.0f} min more", "siaga stations unlock, when it is mended."
        )
    if standing.local_only:
        yield warn(
            "annunciator", "nobody is core to it: the red button sounds here only", "systemctl status siaga-core"
        )


async def core(patient: Patient) -> Iterable[Finding]:
    """Whether it answers; what it sees is kept for the checks behind."""
    client = Client(patient.where.control)
    try:
        await client.connect()
        view = msgspec.convert(await client.request({"do": "view"}, timeout=ANSWER_WITHIN), View)
    except (Gone, Refusal) as e:
        return [
            bad(
                "core",
                str(e),
                f"systemctl status siaga-core; siaga config check {patient.file}; journalctl -u siaga-core -n 30",
            )
        ]
    finally:
        client.close()
    patient.view = view
    return [good("core", f"release {view.version}, row {view.seq}")]


async def page(patient: Patient) -> Iterable[Finding]:
    """Whether web serves on its port in the clear, which it always does."""
    port = patient.site.web.port
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            first = (await reader.readline()).decode(errors="replace").strip()
            writer.close()
    except (TimeoutError, OSError) as e:
        return [bad("page", f"nothing answers on port {port} ({e or 'no answer'})", "systemctl status siaga-web")]
    if first.split(" ")[1:2] not in (["200"], ["303"], ["307"], ["308"]):
        return [
            bad("page", f"port {port} answers {first!r}", "Is another program on that port? journalctl -u siaga-web")
        ]
    return [good("page", f"port {port}")]


async def units(patient: Patient) -> Iterable[Finding]:
    """What systemd knows of them; a box without systemd (a demo) has none."""
    if not (patient.root / "run/systemd/system").exists():
        return [warn("units", "systemd does not run here", "On a box: boot the image. In a demo this is so.")]
    found = []
    for name in UNITS:
        unit = f"siaga-{name}.service"
        told = await _show(unit)
        state, restarts = told.get("ActiveState", "not known"), int(told.get("NRestarts") or 0)
        if state != "active":
            found.append(bad(unit, f"{state} ({told.get('Result', '')})", f"journalctl -u {unit} -n 30"))
        elif restarts >= MANY_RESTARTS:
            found.append(
                warn(unit, f"was restarted {restarts} times since the boot", f"journalctl -u {unit} -p warning")
            )
        else:
            found.append(good(unit, "active"))
    return found


async def _show(unit: str) -> dict[str, str]:
    asked = ("systemctl", "show", unit, "--property=ActiveState,Result,NRestarts")
    process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    rows = (row.partition("=") for row in printed.decode().splitlines())
    return {key: value for key, _, value in rows}
