"""What contacts read and hear: pure. A test or a drill says so before all else, and behind it.

A text names its alert by three digits, so that an answer to it is an answer to this one.
"""

from appliance.alerting.reply_machine import code
from appliance.model import About, AlertKind, Language
from appliance.state import Alert

MARKS = {
    (AlertKind.DRILL, "id"): "LATIHAN",
    (AlertKind.DRILL, "en"): "DRILL",
    (AlertKind.SILENT_TEST, "id"): "UJI COBA",
    (AlertKind.SILENT_TEST, "en"): "TEST",
    (AlertKind.SOUNDING_TEST, "id"): "UJI COBA",
    (AlertKind.SOUNDING_TEST, "en"): "TEST",
}
NOT_REAL = {
    "id": "Ini hanya {mark}, bukan keadaan darurat.",
    "en": "This is only a {mark}, not an emergency.",
}
SAYS = {
    (About.ANNOUNCE, "id"): "PERINGATAN dari {site}.",
    (About.ANNOUNCE, "en"): "ALERT from {site}.",
    (About.ALL_CLEAR, "id"): "AMAN: peringatan {code} dari {site} selesai.",
    (About.ALL_CLEAR, "en"): "ALL CLEAR: alert {code} from {site} is over.",
    (About.FALSE_ALARM, "id"): "ALARM PALSU: abaikan peringatan {code} dari {site}.",
    (About.FALSE_ALARM, "en"): "FALSE ALARM: disregard alert {code} from {site}.",
    (About.TAKEN, "id"): "SUDAH ADA yang menyanggupi peringatan {code} dari {site}. Anda tidak diperlukan lagi.",
    (About.TAKEN, "en"): "ALREADY TAKEN: another one accepted alert {code} from {site}. You are not needed any more.",
}
ANSWER = {
    "id": "Balas YA {code} jika sanggup, TIDAK {code} jika tidak.",
    "en": "Answer YES {code} to accept, NO {code} to decline.",
}
RECEIPT = {"id": "Balas YA {code} jika diterima.", "en": "Answer YES {code} when received."}
STANDARD = {
    (About.ALL_CLEAR, "id"): "Keadaan aman. Peringatan selesai.",
    (About.ALL_CLEAR, "en"): "All clear. The alert is over.",
    (About.FALSE_ALARM, "id"): "Alarm palsu. Abaikan peringatan ini.",
    (About.FALSE_ALARM, "en"): "False alarm. Disregard this alert.",
}


def written(alert: Alert, about: About, site: str, language: Language, *, chosen: bool) -> str:
    """A text. `chosen`: a sequence asks it whether it accepts."""
    said = [SAYS[about, language].format(site=site, code=code(alert.id)), _words(alert, about)]
    if about is About.ANNOUNCE:
        said.append((ANSWER if chosen else RECEIPT)[language].format(code=code(alert.id)))
    return _marked(alert, said, language)


def spoken(alert: Alert, about: About, site: str, language: Language) -> str:
    """The same for a call, without what only a text can ask for; the digits are said one by one."""
    digits = " ".join(code(alert.id))
    return _marked(alert, [SAYS[about, language].format(site=site, code=digits), _words(alert, about)], language)


def for_station(alert: Alert, about: About) -> tuple[str, str]:
    """Text and language of the signed Text to a station; it is empty where there is nothing to say."""
    language = "en" if alert.language == "en" else "id"
    return _words(alert, about) or STANDARD.get((about, language), ""), language


def _words(alert: Alert, about: About) -> str:
    """What the person who gave it has written."""
    if about is About.ANNOUNCE:
        return alert.text
    return next((t.text for t in alert.told if t.about is about), "")


def _marked(alert: Alert, said: list[str], language: Language) -> str:
    if mark := MARKS.get((alert.kind, language), ""):
        said = [f"{mark}. {mark}.", *said, NOT_REAL[language].format(mark=mark)]
    return " ".join(filter(None, said))
