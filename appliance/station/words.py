"""What is spoken in a station: tests say so first and last, so that nobody takes one for the real thing."""

from appliance.alerting.wire_text import TextAbout
from appliance.audio_protocol import LONGEST_TEXT
from appliance.incident_codes import incident
from appliance.model import AlertKind, Language

TEST = {
    "id": "Uji coba. Uji coba. Ini bukan keadaan darurat.",
    "en": "This is a test. This is a test. This is not an emergency.",
}
TEST_OVER = {"id": "Ini hanya uji coba.", "en": "This was only a test."}
CALL = {"id": "Perhatian. Perintah berangkat.", "en": "Attention. Turn out."}
ABOUT = {
    (TextAbout.ALL_CLEAR, "id"): "Perhatian. Situasi sudah aman.",
    (TextAbout.ALL_CLEAR, "en"): "Attention. All clear.",
    (TextAbout.FALSE_ALARM, "id"): "Perhatian. Alarm palsu. Perintah dibatalkan.",
    (TextAbout.FALSE_ALARM, "en"): "Attention. False alarm. The order is cancelled.",
}
INCIDENTS = {
    "id": {
        "fire": "Kebakaran", "medical": "Gawat darurat medis", "road_accident": "Kecelakaan lalu lintas",
        "rescue": "Penyelamatan", "flood": "Banjir", "landslide": "Tanah longsor", "earthquake": "Gempa bumi",
        "tsunami": "Tsunami", "hazardous_material": "Bahan berbahaya", "electricity": "Bahaya listrik",
        "collapse": "Bangunan runtuh", "sea_rescue": "Penyelamatan di laut", "storm": "Badai",
        "disturbance": "Kerusuhan",
    },
    "en": {
        "fire": "Fire", "medical": "Medical emergency", "road_accident": "Road accident", "rescue": "Rescue",
        "flood": "Flood", "landslide": "Landslide", "earthquake": "Earthquake", "tsunami": "Tsunami",
        "hazardous_material": "Hazardous material", "electricity": "Electrical hazard",
        "collapse": "Collapsed building", "sea_rescue": "Rescue at sea", "storm": "Storm",
        "disturbance": "Disturbance",
    },
}  # fmt: skip
WHERE = {"id": "Untuk", "en": "For"}


def words(language: Language, kind: AlertKind, code: int, text: str, zones: tuple[str, ...], about: TextAbout) -> str:
    """One announcement. A code that has no name is not spoken: a number says nothing to a driver."""
    test = kind is not AlertKind.ACTUAL
    said = [TEST[language]] if test else []
    if about is TextAbout.ANNOUNCE:
        said.append(CALL[language])
        if name := INCIDENTS[language].get(incident(code), ""):
            said.append(f"{name}.")
        if zones:
            said.append(f"{WHERE[language]} {', '.join(zones)}.")
    else:
        said.append(ABOUT[about, language])
    if text:
        said.append(text if text.endswith((".", "!", "?")) else f"{text}.")
    if test:
        said.append(TEST_OVER[language])
    return " ".join(said)[:LONGEST_TEXT]
