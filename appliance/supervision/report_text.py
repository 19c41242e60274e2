"""What people are told of tests by SMS: before a siren sounds for one, and in the morning what failed in the night."""

from collections.abc import Mapping, Sequence

from appliance.alert_state import StationTestGap, StationTestLine

MOST = 300  # letters: two parts; what is not in them is on the page
MOST_NAMED = 6
MOST_NAME = 30

TESTS = {
    "id": {"silent": "uji senyap", "sms_probe": "uji SMS", "voice": "uji telepon", "sounding": "uji bunyi sirene"},
    "en": {"silent": "silent test", "sms_probe": "SMS test", "voice": "voice test", "sounding": "sounding test"},
}
WAYS = {
    "id": {"mqtt": "jaringan", "sms": "SMS", "voice": "telepon", "siren": "SIRENE"},
    "en": {"mqtt": "network", "sms": "SMS", "voice": "telephone", "siren": "SIREN"},
}
ANNOUNCE = {
    "id": "PEMBERITAHUAN: UJI COBA sirene {site}, {due} {zone}, {seconds} detik. Ini hanya uji, BUKAN keadaan darurat.",
    "en": "NOTICE: TEST of the sirens of {site}, {due} {zone}, {seconds} s. A test only, NOT an emergency.",
}
MISSED = {"id": "TIDAK BERJALAN", "en": "DID NOT RUN"}
HEAD = {"id": "{site} {day}: uji stasiun, {n} tidak baik: ", "en": "{site} {day}: tests of stations, {n} not good: "}
MORE = {"id": " +{n} lagi.", "en": " +{n} more."}
END = {"id": " Lihat Stasiun di layar pusat.", "en": " See Stations on the centre's page."}


def announcement(site: str, due: str, zone: str, seconds: int, language: str) -> str:
    """Of a sounding test. `due` is local."""
    return ANNOUNCE[language].format(site=_short(site), due=due, zone=zone, seconds=seconds)[:MOST]


def morning_report(
    site: str, day: str, bad: Sequence[StationTestLine], missed: Sequence[StationTestGap], names: Mapping[str, str],
    language: str,
) -> str:  # fmt: skip
    """What failed, a station with all its ways together; the sirens first."""
    ways: dict[str, list[str]] = {}
    for line in sorted(bad, key=lambda line: line.path != "siren"):
        known = ways.setdefault(line.station, [])
        if (way := WAYS[language].get(line.path, line.path)) not in known:
            known.append(way)
    said = [f"{_short(names.get(station, station))} {'+'.join(which)}" for station, which in ways.items()]
    said += [f"{TESTS[language].get(gap.what, gap.what)} {gap.due} {MISSED[language]}" for gap in missed]
    text = HEAD[language].format(site=_short(site), day=day, n=len(said)) + "; ".join(said[:MOST_NAMED]) + "."
    if len(said) > MOST_NAMED:
        text += MORE[language].format(n=len(said) - MOST_NAMED)
    if len(text) + len(END[language]) <= MOST:
        text += END[language]
    return text[:MOST]


def _short(name: str) -> str:
    return name if len(name) <= MOST_NAME else name[: MOST_NAME + 1].rpartition(" ")[0] or name[:MOST_NAME]
