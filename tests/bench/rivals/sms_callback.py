"""python-gsmmodem-new at a port, in its own venv: says when its callback got a message. Standard library and gsmmodem.

`python sms_callback.py PORT` prints `{"ready": true}`, then for each message `{"text": ..., "at": CLOCK_MONOTONIC}`.
Each line on its stdin makes it ask the modem for its signal, as a program does that shows it.
"""

import json
import sys
import time
import warnings
from typing import Any

with warnings.catch_warnings(action="ignore"):
    from gsmmodem.exceptions import GsmModemException
    from gsmmodem.modem import GsmModem


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def received(sms: Any) -> None:
    say(text=sms.text, at=time.monotonic())


def main() -> None:
    modem = GsmModem(sys.argv[1], 115200, smsReceivedCallbackFunc=received)
    modem.connect()
    say(ready=True)
    for _ in sys.stdin:
        try:
            say(signal=modem.signalStrength)
        except (GsmModemException, ValueError, IndexError, AttributeError) as e:
            say(failed=type(e).__name__)


if __name__ == "__main__":
    main()
