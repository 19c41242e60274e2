"""Between pymodbus and the line: sees every byte, and lets through only the right answer to the open question.

It also knows when the line was last heard, which is what silence between frames and quarantine are made of.
"""

from collections.abc import Callable

from drivers.modbus.frames import Finder, Question, WrongFrame


class Tap:
    """One link's tap; `packet` is pymodbus's `trace_packet`, which may change what it hands on."""

    def __init__(self, now: Callable[[], float], find: Finder, character_s: float) -> None:
        self._now, self._find, self._character_s = now, find, character_s
        self._question: Question | None = None
        self._sent = b""
        self._expected_until = 0.0
        self._last_byte_at = 0.0  # of either direction
        self._suspect_since: float | None = None  # an answer may still be on its way, or one came that nobody asked for
        self.wrong = ""  # why what came since the question was not its answer

    def open(self, question: Question, timeout_s: float) -> None:
        """From now on only the answer to `question` passes; given up early, it may still come for `timeout_s`."""
        self._question, self._sent, self.wrong = question, b"", ""
        self._expected_until = self._now() + timeout_s
        self._suspect_since = None

    def close(self) -> None:
        """Nobody waits any more; a question that was not answered leaves the line under suspicion."""
        if self._question is not None:
            self._question = None
            self._suspect_since = max(self._now(), self._expected_until)

    def clear_at(self, gap_s: float, quiet_s: float) -> float:
        """When the line may be spoken on: after `gap_s` of silence, after `quiet_s` when under suspicion."""
        if self._suspect_since is None:
            return self._last_byte_at + gap_s
        return max(self._suspect_since, self._last_byte_at) + quiet_s

    def packet(self, sending: bool, data: bytes) -> bytes:
        """All that is sent, and all that was heard since; returns what may pass."""
        if sending:
            self._sent = data
            self._last_byte_at = self._now() + len(data) * self._character_s  # the port still has to send them
            return data
        self._last_byte_at = self._now()
        if self._question is None:
            self._suspect_since = max(self._suspect_since or 0.0, self._last_byte_at)
            return b""
        if self.wrong:
            return b""
        try:
            found = self._find(self._question, self._sent, data)
        except WrongFrame as e:
            self.wrong = str(e)
            return b""
        if found.complete:
            self._question = None
            if len(found.passed) < len(data):
                self._suspect_since = self._last_byte_at
        return found.passed
