"""What a fault of the first boot is called, and what to do next, in Indonesian and English."""

import msgspec

FILE = "appliance.toml"
SITE = "site.toml"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `line` is 0 where it is the file as a whole; `shown` is the line without secrets."""

    file: str
    key: str
    code: str
    what: tuple[str, str]  # Indonesian, English
    next: tuple[str, str]
    line: int = 0
    shown: str = ""

    def told(self, language: int) -> str:
        """One line for a terminal or a log: 0 Indonesian, 1 English."""
        row = (f" baris {self.line}", f" line {self.line}")[language] if self.line else ""
        return f"{self.file}{row}: {f'{self.key}: ' if self.key else ''}{self.what[language]} {self.next[language]}"


# code: what (id, en), what to do next (id, en). Braces are fields of the fault.
WORDS: dict[str, tuple[str, str, str, str]] = {
    "no_file": (
        "Berkas ini tidak ada di partisi SIAGA-BOOT.", "This file is not on the partition SIAGA-BOOT.",
        "Salin berkasnya ke sana; contohnya appliance.example.toml.",
        "Copy it there; appliance.example.toml is an example.",
    ),
    "unreadable": (
        "Berkas tidak dapat dibaca: {why}.", "The file cannot be read: {why}.",
        "Tulis ulang berkas itu, atau ganti kartunya.", "Write the file anew, or take another card.",
    ),
    "too_long": (
        "Berkas lebih dari {most} oktet.", "The file is longer than {most} octets.",
        "Ini bukan berkas yang dimaksud.", "This is not the file that is meant.",
    ),
    "not_utf8": (
        "Bukan teks UTF-8 (oktet {octet}).", "This is not text in UTF-8 (octet {octet}).",
        "Simpan sebagai UTF-8 di editor.", "Save it as UTF-8 in the editor.",
    ),
    "not_toml": (
        "Bukan TOML yang benar: {why}.", "This is not TOML: {why}.",
        "Perbaiki baris ini; teks harus di antara tanda kutip.", "Repair this line; texts stand in quotes.",
    ),
    "unknown_key": (
        "Kunci ini tidak dikenal.", "This key is not known.",
        "Hapus, atau pilih dari: {known}.", "Remove it, or take one of: {known}.",
    ),
    "missing": (
        "Kunci ini wajib ada.", "This key must be given.",
        "Tambahkan: {example}", "Add it: {example}",
    ),
    "wrong_type": (
        "Di sini harus {type_id}.", "This must be {type_en}.", "Contoh: {example}", "Example: {example}",
    ),
    "not_one_of": (
        "Nilai ini tidak dikenal.", "This value is not known.", "Pilih: {known}.", "Take one of: {known}.",
    ),
    "bad_value": (
        "Nilai ini tidak dapat dipakai: harus {type_id}.", "This value cannot be used: it must be {type_en}.",
        "Contoh: {example}", "Example: {example}",
    ),
    "weak_key": (
        "Kunci publik SSH jenis ini tidak diterima.", "This kind of SSH public key is not taken.",
        "Buat dengan: ssh-keygen -t ed25519, dan tulis isi berkas .pub.",
        "Make one: ssh-keygen -t ed25519, and give what its .pub file holds.",
    ),
    "short_password": (
        "Kata sandi harus paling sedikit {least} karakter.", "A password has at least {least} characters.",
        "Tulis yang lebih panjang.", "Write a longer one.",
    ),
    "twice": (
        "Disebut dua kali.", "It stands there twice.", "Hapus salah satu.", "Remove one of them.",
    ),
    "dhcp_and_address": (
        "dhcp = true dan alamat tetap tidak bisa bersama.", "dhcp = true and a fixed address exclude each other.",
        "Hapus salah satu.", "Remove one of them.",
    ),
    "needs": (
        "Ini hanya bersama {other}.", "This goes only with {other}.",
        "Tambahkan {other}, atau hapus ini.", "Add {other}, or remove this.",
    ),
    "gateway_outside": (
        "Gateway tidak berada di jaringan {network}.", "The gateway is not in the network {network}.",
        "Periksa address dan gateway.", "Check address and gateway.",
    ),
    "network_itself": (
        "Alamat ini adalah jaringan atau broadcast {network}, bukan sebuah kotak.",
        "This is the network or broadcast address of {network}, no box's.",
        "Pilih alamat lain di jaringan itu.", "Take another address of that network.",
    ),
    "nothing_kept": (
        "Kosong, dan kotak belum menyimpan apa pun untuk ini.", "It is empty, and the box keeps nothing for it yet.",
        "Tulis nilainya.", "Write it.",
    ),
    "own_line": (
        "Rahasia ini tidak dapat dihapus dari kartu dalam bentuk ini.",
        "Written like this, the secret cannot be erased from the card.",
        'Tulis pada baris sendiri: {name} = "..."', 'Write it on a line of its own: {name} = "..."',
    ),
    "not_blanked": (
        "Rahasia di berkas ini tidak dapat dihapus dari kartu: {why}.",
        "The secrets in this file cannot be erased from the card: {why}.",
        "Kotak tetap bekerja. Hapus sendiri di PC, atau ganti dan hancurkan kartunya.",
        "The box works. Erase them on a PC, or change the card and destroy it.",
    ),
    "not_written": (
        "Berkas ini tidak dapat ditulis ke kartu: {why}.", "This file cannot be written to the card: {why}.",
        "Kotak tetap bekerja. Periksa kartunya; mungkin sudah aus.",
        "The box works. Look at the card; it may be worn out.",
    ),
    "not_fitted": (
        "Berkas ini tidak dapat disesuaikan dengan kabel dan jaringan kotak: {why}",
        "This file cannot be fitted to the box's wiring and network: {why}",
        "Kotak tetap bekerja, tetapi relai dapat bergerak sebelum Linux. Salin config.txt dari image.",
        "The box works, but relays may move before Linux runs. Copy config.txt of the image.",
    ),
    "role_differs": (
        "role di {site} adalah {other}.", "{site} says role = {other}.",
        "Samakan keduanya; mungkin kartu ini untuk kotak lain.",
        "Make both the same; perhaps this card is for another box.",
    ),
    "board_differs": (
        "Papan ini {board}.", "This board is a {board}.",
        "Pakai image dan profile untuk papan ini.", "Use the image and profile of this board.",
    ),
    "broker_differs": (
        "{site} menyebut broker lain: {other}.", "{site} names another broker: {other}.",
        "Hapus [mqtt] di sini atau [broker] di {site}.", "Remove [mqtt] here or [broker] in {site}.",
    ),
    "only_station": (
        "Hanya untuk role = \"station\".", "Only for role = \"station\".",
        "Hapus tabel ini.", "Remove this table.",
    ),
    "site_refused": (
        "Berkas situs ditolak: {why}", "The site file is refused: {why}",
        "Perbaiki, lalu periksa di PC: siaga config check site.toml",
        "Repair it; on a PC: siaga config check site.toml",
    ),
    "site_place": (
        "Di kotak ini harus {must}.", "On the box this must be {must}.", "Ubah menjadi {must}.", "Change it to {must}.",
    ),
    "grant_refused": (
        "Surat izin pusat ditolak: {why}", "The centre's grant is refused: {why}",
        "Minta pusat membuatnya lagi: siaga keys enrol (docs/keys.md).",
        "Have the centre write it anew: siaga keys enrol (docs/keys.md).",
    ),
}  # fmt: skip


def fault(code: str, key: str, *, file: str = FILE, line: int = 0, **fields: object) -> Fault:
    what_id, what_en, next_id, next_en = (words.format(**fields) for words in WORDS[code])
    return Fault(file=file, key=key, code=code, what=(what_id, what_en), next=(next_id, next_en), line=line)
