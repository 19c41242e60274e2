"""The texts that people on duty get, in their language: short, in the letters that fit 160 to a message."""

from collections.abc import Sequence
from datetime import datetime

from appliance.config import ZONES, Site
from appliance.trunk_events import BY_PERSON

DECLARED = {
    "id": "{site}: trunk 112 PUTUS ({why}), {clock}. Nomor cadangan BERLAKU. Warga: {numbers}. Kartu di layar pusat.",
    "en": "{site}: trunk 112 LOST ({why}), {clock}. Fallback IN FORCE. Citizens: {numbers}. Card on the centre's page.",
}
BY_HAND = {
    "id": "{site}: {clock} petugas memberlakukan NOMOR CADANGAN 112. Warga: {numbers}. Kartu ada di layar pusat.",
    "en": "{site}: {clock} fallback of 112 declared BY HAND. Citizens: {numbers}. Card on the centre's page.",
}
OVER = {
    "id": "{site}: {clock} nomor cadangan DICABUT. 112 dipakai lagi seperti biasa.",
    "en": "{site}: {clock} fallback is OVER. 112 is used again as always.",
}
WHY = {
    "trunk": {"id": "gerbang tidak menjawab", "en": "gateway does not answer"},
    "route": {"id": "jaringan pusat", "en": "the centre's network"},
    "dns": {"id": "DNS", "en": "DNS"},
    "carrier": {"id": "jaringan penyedia", "en": "the provider's network"},
}
MOST_NUMBERS = 3  # the page and the card have them all
MOST_NAME = 40  # letters


def declared(site: Site, language: str, why: str, wall: float, numbers: Sequence[str]) -> str:
    """`why` as in FallbackDeclared; `wall` is when, in unix seconds."""
    shown = ", ".join(numbers[:MOST_NUMBERS]) or "-"
    word = WHY.get(why, {}).get(language, why)
    template = BY_HAND if why == BY_PERSON else DECLARED
    return template[language].format(site=site.name[:MOST_NAME], why=word, clock=_clock(site, wall), numbers=shown)


def over(site: Site, language: str, wall: float) -> str:
    return OVER[language].format(site=site.name[:MOST_NAME], clock=_clock(site, wall))


def _clock(site: Site, wall: float) -> str:
    return f"{datetime.fromtimestamp(wall, ZONES[site.zone]):%d/%m %H:%M} {site.zone}"
