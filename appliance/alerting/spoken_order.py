"""What a call says of an order: pure. A test says so before all else, and behind."""

from appliance.model import AlertKind, Language
from appliance.state import Alert

TEST = {
    "id": "Uji coba. Uji coba. Ini hanya uji coba, bukan keadaan darurat.",
    "en": "Test. Test. This is only a test, not an emergency.",
}
DRILL = {
    "id": "Latihan. Latihan. Ini hanya latihan, bukan keadaan darurat.",
    "en": "Drill. Drill. This is only a drill, not an emergency.",
}
START = {"id": "Perintah sirene untuk {station}.", "en": "Siren order for {station}."}
ALARM = {"id": "Keadaan darurat. Panggilan untuk {station}.", "en": "Emergency. This is a call-out for {station}."}
ZONES = {"id": "Bagian: {zones}.", "en": "Zones: {zones}."}
CODE = {"id": "Kode kejadian {code}.", "en": "Incident code {code}."}
GO = {"id": "Segera berangkat. Sirene mungkin tidak berbunyi.", "en": "Turn out now. Your siren may not sound."}
STOP = {
    "id": "Batal. Batal. Perintah sirene untuk {station} dibatalkan. Tidak perlu berangkat.",
    "en": "Stop. Stop. The siren order for {station} is cancelled. Do not turn out.",
}


def spoken(alert: Alert, action: str, station: str, zones: tuple[str, ...], language: Language) -> tuple[
    tuple[Language, str], ...
]:  # fmt: skip
    """Texts by language, to be said one after the other. `station` is its name for people."""
    languages: list[Language] = [language]
    other: Language = "en" if alert.language == "en" else "id"
    if alert.text and action == "start" and other != language:  # the words were given in this one
        languages.append(other)
    return tuple((tongue, _words(alert, action, station, zones, tongue)) for tongue in languages)


def _words(alert: Alert, action: str, station: str, zones: tuple[str, ...], language: Language) -> str:
    marks = {AlertKind.ACTUAL: "", AlertKind.DRILL: DRILL[language]}
    mark = marks.get(alert.kind, TEST[language])
    if action == "stop":
        said = [STOP[language].format(station=station)]
    else:
        said = [(ALARM if alert.kind is AlertKind.ACTUAL else START)[language].format(station=station)]
        if zones:
            said.append(ZONES[language].format(zones=", ".join(zones)))
        if alert.incident_code:
            said.append(CODE[language].format(code=alert.incident_code))
        if alert.text and (alert.language == language):
            said.append(alert.text.rstrip(". ") + ".")
        if alert.kind is AlertKind.ACTUAL:
            said.append(GO[language])
    return " ".join(filter(None, [mark, *said, mark]))
