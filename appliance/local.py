"""The box's own annunciator, as core sees it: journals what its sirens and inputs did, keeps the lights true."""

import asyncio
import logging
from collections.abc import Callable

from appliance import alert_events as al
from appliance import events as ev
from appliance import station_events as st
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import Barred, InputChange, OutputChange, Standing
from appliance.config import Site
from appliance.journal import Appended
from appliance.model import Mains
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

BARRED_S = 600.0  # s that a press that sounded nothing is an alarm
LIGHT_AGAIN = 2.0  # s between attempts to set a light while the annunciator refuses or is away

log = logging.getLogger("siaga.local")


class Local:
    """Give its methods to the AnnunciatorLink; `run` keeps the lights."""

    def __init__(self, site: Site, state: State, clock: Clock, append: Callable[..., Appended]) -> None:
        self._site, self._state, self._clock, self._append = site, state, clock, append
        self._sirens = {name for name, o in site.annunciator.output.items() if o.kind == "siren"}
        self._currents = {name for name, i in site.annunciator.input.items() if i.kind == "current"}
        self._shown: dict[str, bool] = {}
        self._wake = asyncio.Event()
        self._barred_at = clock.now()  # also of one of before our start
        self.lamp: Callable[[], bool] = lambda: False  # whether the alarms' lamp is wanted

    def on_up(self, standing: Standing) -> None:
        """Compare what is with what the journal believes: either process may have been away."""
        self._append(ev.LinkRestored(link="annunciator"))
        for name in self._sirens:
            output, believed = standing.outputs.get(name), self._state.sirens.get(name)
            on = output is not None and output.on
            if output is not None and on and not output.stuck and not (believed and believed.on):
                order = output.order_ids[-1] if output.order_ids else ""
                why = "local" if standing.local_only else "ordered"
                self._energised(name, order, why, output.remaining_s or 0)
            if not on and believed and believed.on:
                self._append(al.SirenReleased(output=name, why="annunciator_lost"))
        if standing.barred_s is not None and standing.barred_s < BARRED_S and self._state.own.barred is None:
            button = self._site.annunciator.button
            self._barred(button.input if button else "")
        for name, output in standing.outputs.items():
            self._relay(name, stuck=output.stuck)
        self._shown = {}
        self._wake.set()

    def on_down(self) -> None:
        self._append(ev.LinkLost(link="annunciator", reason="the socket closed"))

    def on_output(self, change: OutputChange) -> None:
        if change.why in ("stuck", "released"):
            self._relay(change.output, stuck=change.why == "stuck")
        if change.why == "stuck":  # nobody ordered what it does now
            return
        believed = self._state.sirens.get(change.output)
        if change.output not in self._sirens or (believed is not None and believed.on) == change.on:
            return
        if change.on:
            self._energised(change.output, change.order or "", change.why, 0)
        else:
            self._append(al.SirenReleased(output=change.output, why=change.why))

    def _energised(self, output: str, order: str, why: str, seconds: float) -> None:
        known = order if not order.startswith("local") else ""
        alert = self._state.alerts.get(known)
        self._append(
            al.SirenEnergised(
                output=output,
                order=known,
                seconds=round(seconds) or (alert.seconds if alert else 0),
                why="local" if why == "local" else "ordered",
            )
        )

    def _relay(self, output: str, *, stuck: bool) -> None:
        """A relay that was switched off does not open; also one that was found so when the annunciator came back."""
        if stuck != (f"{output}/stuck" in self._state.own.faults):
            self._append(st.SirenFault(output=output, fault="stuck", on=stuck))

    def on_barred(self, press: Barred) -> None:
        """A press that sounded nothing."""
        self._barred(press.button)

    def _barred(self, button: str) -> None:
        self._barred_at = self._clock.now()
        self._append(al.ButtonBarred(button=button, on=True))

    def on_input(self, change: InputChange) -> None:
        if change.input in self._currents:
            return  # it goes with each stroke of a pattern; what it proves is written down as a proof
        self._append(al.InputChanged(input=change.input, active=change.active))

    def wake(self) -> None:
        """What a light shows may have changed."""
        self._wake.set()

    async def run(self, annunciator: AnnunciatorLink) -> None:
        """Keep the lights as things are: amber while mains is lost, the station's own while its siren sounds."""
        while True:
            if self._state.own.barred and self._clock.now() - self._barred_at > BARRED_S:
                self._append(al.ButtonBarred(button=self._state.own.barred[0], on=False))
            for light, wanted in self._wanted().items():
                if annunciator.up and wanted != self._shown.get(light):
                    try:
                        await annunciator.light(light, wanted)
                        self._shown[light] = wanted
                    except (Gone, Refusal) as e:
                        log.error("the light %r does not follow: %s", light, e)
            try:
                async with asyncio.timeout(LIGHT_AGAIN):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    def _wanted(self) -> dict[str, bool]:
        wanted = {}
        if self._site.amber:
            wanted[self._site.amber] = self._state.mains is Mains.LOST
        if self._site.notify.lamp:
            wanted[self._site.notify.lamp] = self.lamp()
        if self._site.own and self._site.own.light:
            siren = self._state.sirens.get(self._site.own.siren)
            wanted[self._site.own.light] = siren is not None and siren.on
        return wanted
