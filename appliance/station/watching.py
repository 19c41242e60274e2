"""The station's watch over itself and over its centres: proofs of sound, contacts, faults, silence, its health."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.alert_view import OwnView
from appliance.alerting.wire_health import fault_names
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.config import Site
from appliance.journal import Appended
from appliance.keyring import IssuerRing
from appliance.model import Path
from appliance.state import State
from appliance.station.active import Active
from appliance.station.answers import Answers
from appliance.station.health import SIREN_FAULTS, HealthTeller
from appliance.station.lockout import Lockout
from appliance.station.own_view import own_view
from appliance.station.proof_machine import Proving
from appliance.station.record import Record
from appliance.station.vitals import Look
from appliance.station.watch_machine import CentreWatch, Silence
from appliance.station_events import CentreHeard, CentreSilent, SirenFault
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

OF_PROOF = ("no_current", "not_heard")
OF_SIREN = frozenset(name for fault in SIREN_FAULTS.values() for name in fault_names(fault))  # the state has these

log = logging.getLogger("siaga.station")


class Watching:
    """`active` by alert is the node's. `audio_up` None: this station has no sound of its own."""

    def __init__(
        self, *, site: Site, clock: Clock, append: Callable[..., Appended], state: State, active: dict[str, Active],
        annunciator: AnnunciatorLink, answers: Answers, record: Record, lockout: Lockout, issuers: IssuerRing,
        broker_up: Callable[[], bool], audio_up: Callable[[], bool] | None, vitals: Look,
        aside: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:  # fmt: skip
        assert site.own is not None
        own, self._site = site.own, site
        self._watch, self._clock, self._append, self._state, self._active = own.watch, clock, append, state, active
        self._annunciator, self._answers, self._record = annunciator, answers, record
        self._issuers, self._aside = issuers, aside
        self._inputs: dict[str, bool] = {}
        told = {i: wired.of for i, wired in site.annunciator.input.items() if wired.kind == "current" and wired.of}
        expected = told | ({self._watch.current: own.siren} if self._watch.current else {})
        feedback = {i: w.of for i, w in site.annunciator.input.items() if w.kind == "feedback" and w.of}
        self._proves = feedback | ({own.feedback: own.siren} if own.feedback else {}) | expected
        known = {(output, fault) for output, _, fault in (name.rpartition("/") for name in state.own.faults)}
        record.faults |= {fault for fault in known if fault[1] not in OF_PROOF}
        self._proving = Proving(
            set(expected.values()), hears=self._watch.microphone and audio_up is not None,
            heard_dbfs=self._watch.heard_dbfs, proof_s=self._watch.proof_s,
            faults={fault for fault in known if fault[1] in OF_PROOF},
        )  # fmt: skip
        names = dict.fromkeys(issuer.name for issuer in site.issuer)
        silent = state.own.centre_silent
        self._centres = CentreWatch(names, self._watch.centre_silent_s, clock.now(), silent)
        self._lamp: bool | None = None
        self._health = HealthTeller(
            site, clock, answers, siren_faults=self._siren_faults, inputs=lambda: self._inputs,
            silent=lambda: bool(self._centres.silent), lock_minutes=lambda: lockout.minutes,
            annunciator_up=lambda: annunciator.up, broker_up=broker_up, audio_up=audio_up, vitals=vitals,
            barred=lambda: state.own.barred is not None,
        )  # fmt: skip

    def tick(self) -> None:
        """With each heartbeat."""
        for found in self._centres.look(self._clock.now()):
            self._append(CentreSilent(issuer=found.issuer, silent_s=round(found.seconds, 1)))
        self._answers.supply = self._health.supply()
        self._health.tick()
        lamp = bool(self._centres.silent)
        if self._watch.lamp and lamp != self._lamp and self._annunciator.up:
            self._aside(self._light(self._watch.lamp, lamp))

    def tell_again(self) -> None:
        """The next heartbeat brings a health."""
        self._health.told = None

    async def _light(self, lamp: str, on: bool) -> None:
        try:
            await self._annunciator.light(lamp, on)
            self._lamp = on
        except (Gone, Refusal) as e:
            log.error("the lamp %r does not say whether the centre is silent: %s", lamp, e)

    # The centre

    def heard(self, issuer: int, path: Path) -> None:
        """A fresh word that it signed."""
        found: Silence | None = self._centres.heard(self._issuers.name(issuer), self._clock.now())
        if found is not None:
            self._append(CentreHeard(issuer=found.issuer, path=path))

    # Proofs

    def sounds(self, active: Active, output: str) -> None:
        """An order is on."""
        self._proving.began(output, active.alert, self._clock.now())
        self._look()
        self._aside(self._look_later())

    async def _look_later(self) -> None:
        await asyncio.sleep(self._watch.proof_s + 0.1)
        self._look()

    def silent(self, output: str, alert: str) -> None:
        self._proving.ended(output, alert)

    def flowed(self, output: str) -> None:
        self._proving.flowed(output)
        self._look()

    def level(self, dbfs: float | None) -> None:
        """What the station's microphone hears."""
        self._proving.level(dbfs)
        if self._proving.undecided:
            self._look()

    def _look(self) -> None:
        for found in self._proving.look(self._clock.now()):
            if found.what in OF_PROOF:
                alert = found.alert if found.on else ""
                self._append(SirenFault(output=found.output, fault=found.what, on=found.on, alert=alert))
            elif active := self._active.get(found.alert):
                self._record.proven(active, found.what, found.dbfs)

    def _siren_faults(self) -> set[str]:
        return {fault for _, fault in self._proving.faults | self._record.faults if fault in SIREN_FAULTS}

    # The annunciator

    def on_standing(self, standing: Standing) -> None:
        self._lamp = None
        self._inputs = dict(standing.inputs)
        for name, output in self._proves.items():
            self._proving.current(output, self._inputs.get(name, False))
        for name, at in standing.outputs.items():
            if self._is_siren(name):
                self._record.fault(name, "stuck", on=at.stuck)
        for name in standing.faults:
            if self._is_siren(name):
                self._record.fault(name, "line", on=True)
        self._look()

    def on_output(self, change: OutputChange) -> None:
        if change.why in ("stuck", "released") and self._is_siren(change.output):
            self._record.fault(change.output, "stuck", on=change.why == "stuck", alert=change.order or "")

    def on_input(self, change: InputChange) -> None:
        self._inputs[change.input] = change.active
        if output := self._proves.get(change.input):
            self._proving.current(output, change.active)
            self._look()

    def _is_siren(self, output: str) -> bool:
        wired = self._site.annunciator.output.get(output)
        return wired is not None and wired.kind in ("siren", "buzzer")

    def view(self) -> OwnView:
        others = [name for name in fault_names(self._health.faults()) if name not in OF_SIREN]
        return own_view(
            self._site, self._state.own, wall=self._clock.wall(), faults=others, centres=self._centres.heard_at
        )
