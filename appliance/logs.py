"""Where a process's words go: to journald with fields, or as plain lines to stderr. Set up once, here.

`journalctl SIAGA_ALERT=...` then follows one order, and likewise SIAGA_CALL, SIAGA_STATION, SIAGA_LINE.
"""

import logging
import os
import sys

from drivers import journald
from drivers.journald import Journald

LEVEL_VARIABLE = "SIAGA_LOG"
# What an event or a line in the log is about, and journald's name for it.
ABOUT = {
    name: f"SIAGA_{name.upper()}"
    for name in ("alert", "alarm", "call", "station", "line", "contact", "test", "device", "output", "path", "action")
}
PRIORITIES = ((logging.CRITICAL, "2"), (logging.ERROR, "3"), (logging.WARNING, "4"), (logging.INFO, "6"))
DEBUG_PRIORITY = "7"
PLAIN = "%(levelname)s %(name)s: %(message)s"
CARRIED = "siaga"  # the attribute of a record that `about` fills


def about(**ids: str) -> dict[str, dict[str, str]]:
    """For a log call's `extra`: `log.warning("...", extra=about(line="l1"))`. Names are those of ABOUT."""
    return {CARRIED: {ABOUT[name]: text for name, text in ids.items()}}


class JournaldHandler(logging.Handler):
    """Gives each record to journald, with its fields. What journald has lost is said once it listens again."""

    def __init__(self, to: Journald, process: str) -> None:
        super().__init__()
        self._to, self._process = to, process
        self._told_lost = 0
        self.setFormatter(logging.Formatter("%(message)s"))  # the rest are fields

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields = {
                "MESSAGE": self.format(record),
                "PRIORITY": next((p for level, p in PRIORITIES if record.levelno >= level), DEBUG_PRIORITY),
                "LOGGER": record.name,
                "CODE_FILE": record.pathname,
                "CODE_LINE": str(record.lineno),
                "CODE_FUNC": record.funcName or "",
                **getattr(record, CARRIED, {}),
            }
            self.give(fields)
        except (TypeError, ValueError):  # the caller's text does not fit its figures: a flaw of ours, not the caller's
            self.handleError(record)

    def give(self, fields: dict[str, str], *, kept: bool = False) -> bool:
        """False when journald did not take it; `kept`: it comes again, and is not lost."""
        fields = {"SYSLOG_IDENTIFIER": self._process} | fields
        lost = self._to.lost
        taken = self._to.send(fields, kept=kept)
        if taken and lost > self._told_lost:
            text = f"journald did not take {lost - self._told_lost} lines before this one"
            if self._to.send({"MESSAGE": text, "PRIORITY": "4", "SYSLOG_IDENTIFIER": self._process}):
                self._told_lost = lost
        return taken


def set_up(process: str) -> None:
    """All that this process logs goes to journald when stderr is journald's, else as lines to stderr."""
    handler: logging.Handler
    if journald.is_listening():
        handler = JournaldHandler(Journald(), process)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(PLAIN))
    logging.basicConfig(level=os.environ.get(LEVEL_VARIABLE, "INFO").upper(), handlers=[handler])


def to_journald() -> JournaldHandler | None:
    """Where a line with fields of its own can go; None where the log is plain."""
    return next((h for h in logging.getLogger().handlers if isinstance(h, JournaldHandler)), None)
