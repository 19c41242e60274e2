"""What Indonesian operators' networks say to USSD codes: the credit, each in its own words and its own layout."""

from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
CODES = {"51010": "*888#", "51011": "*123#", "51001": "*123#", "51009": "*999#"}  # Telkomsel, XL, Indosat, Smartfren
GRACE = timedelta(days=30)  # XL tells the end of the grace period too
DONE, MORE, ENDED, UNSUPPORTED, TIMED_OUT = 0, 1, 2, 4, 5  # <m> of +CUSD


@dataclass(frozen=True)
class Credit:
    rupiah: int
    until: date


NEW = Credit(25_000, date(2027, 12, 31))  # what a SIM has that nobody was told of


class UssdCentre:
    """Credits by number."""

    def __init__(self) -> None:
        self._credits: dict[str, Credit] = {}
        self._texts: dict[str, tuple[int, str]] = {}

    def set_text(self, number: str, told: tuple[int, str] | None) -> None:
        """<m> and text for every code; None: the operator's own."""
        self._texts.pop(number, None)
        if told:
            self._texts[number] = told

    def set_credit(self, number: str, credit: Credit) -> None:
        self._credits[number] = credit

    def answer(self, plmn: str, number: str, code: str) -> tuple[int, str]:
        """<m> and the text for a code, or for an answer to a menu."""
        if number in self._texts:
            return self._texts[number]
        if code == CODES.get(plmn):
            credit = self._credits.get(number, NEW)
            return _told(plmn, credit.rupiah, credit.until)
        if code.isdecimal():
            return ENDED, "Terima kasih. Permintaan Anda sedang diproses."
        return ENDED, "Maaf, kode yang Anda masukkan salah."


def _told(plmn: str, rupiah: int, until: date) -> tuple[int, str]:
    dotted = f"{rupiah:,}".replace(",", ".")
    if plmn == "51011":
        last = until + GRACE
        return ENDED, f"Pulsa Rp {dotted}. Masa aktif s/d {until:%d-%m-%Y}, masa tenggang s/d {last:%d-%m-%Y}."
    if plmn == "51001":
        day = f"{until.day} {MONTHS[until.month - 1]} {until.year}"
        return MORE, f"Pulsa Utama: Rp.{dotted},00 aktif sampai {day}\n1.Beli paket\n2.Transfer pulsa"
    return DONE, f"Pulsa Rp{rupiah} s.d. {until:%d/%m/%Y}. Kuota 0 MB."
