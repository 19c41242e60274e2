"""The site file's calendar as rules."""

from appliance.config_alerting import Supervision
from appliance.supervision.calendar_machine import Rule

HOUR_S = 3600.0


def rules_of(supervision: Supervision) -> tuple[Rule, ...]:
    """In the order in which they begin when several are due at once."""
    s = supervision
    return (
        Rule("silent", s.silent_test),
        Rule("sms_probe", s.sms_probe),
        Rule("voice", s.voice_test, weekdays=s.voice_days),
        Rule("sounding", s.sounding_time if s.sounding_day else "", day=s.sounding_day,
             announce_s=s.announce_before_h * HOUR_S),
    )  # fmt: skip
