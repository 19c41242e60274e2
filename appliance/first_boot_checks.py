"""What each key of `appliance.toml` may hold: one check a kind of value, each refusing with a code and its fields."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], Any]

HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, one label; small letters, as people type them
SERVER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PERSON = re.compile(r"[a-z][a-z0-9_.-]{0,31}")
WORDS = re.compile(r"[a-z]{5}([ -]+[a-z]{5}){3}")
SSH_KINDS = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com")
SSH_KEY = re.compile(r"[A-Za-z0-9@.-]+ [A-Za-z0-9+/]{40,8000}={0,2}( [^\x00-\x1f\x7f]{0,200})?")
SHORTEST_PASSWORD = 8  # as `siaga people password` takes it
WIFI_PASSWORD = range(8, 64)  # characters, IEEE 802.11i; 64 hex digits would be the key itself
MOST_ITEMS = 20  # of any list here


class Bad(Exception):
    """A value that is not taken: a code of first_boot_words and its fields."""

    def __init__(self, code: str, **fields: Any) -> None:
        super().__init__(code)
        self.code, self.fields = code, fields


def text(given: Any) -> str:
    if not isinstance(given, str):
        raise Bad("wrong_type", type_id="teks dalam tanda kutip", type_en="a text in quotes", example='"..."')
    return given


def flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise Bad("wrong_type", type_id="true atau false", type_en="true or false", example="true")
    return given


def one_of(*known: str) -> Check:
    def check(given: Any) -> str:
        if text(given) not in known:
            raise Bad("not_one_of", known=", ".join(f'"{k}"' for k in known))
        return str(given)

    return check


def like(pattern: re.Pattern[str], type_id: str, type_en: str, example: str) -> Check:
    def check(given: Any) -> str:
        if not pattern.fullmatch(text(given)):
            raise Bad("bad_value", type_id=type_id, type_en=type_en, example=example)
        return str(given)

    return check


def whole(least: int, most: int, example: str) -> Check:
    def check(given: Any) -> int:
        kind = f"bilangan bulat {least} sampai {most}", f"a whole number, {least} to {most}"
        if not isinstance(given, int) or isinstance(given, bool):
            raise Bad("wrong_type", type_id=kind[0], type_en=kind[1], example=example)
        if not least <= given <= most:
            raise Bad("bad_value", type_id=kind[0], type_en=kind[1], example=example)
        return given

    return check


def several(item: Check, example: str) -> Check:
    def check(given: Any) -> tuple[Any, ...]:
        if not isinstance(given, list) or len(given) > MOST_ITEMS:
            kinds = {"type_id": f"daftar dengan paling banyak {MOST_ITEMS} isi", "type_en": f"a list of {MOST_ITEMS}"}
            raise Bad("wrong_type", example=example, **kinds)
        taken = tuple(item(one) for one in given)
        if len(set(taken)) < len(taken):
            raise Bad("twice")
        return taken

    return check


def interface(given: Any) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    example = 'address = "192.168.112.10/24"'
    kinds = {"type_id": "alamat dengan panjang jaringan", "type_en": "an address with the length of its network"}
    try:
        found = ipaddress.ip_interface(text(given))
    except ValueError as e:
        raise Bad("bad_value", example=example, **kinds) from e
    network = found.network
    if "/" not in given or found.ip.is_loopback or found.ip.is_multicast or found.ip.is_unspecified:
        raise Bad("bad_value", example=example, **kinds)
    if network.num_addresses > 2 and found.ip in (network.network_address, network.broadcast_address):
        raise Bad("network_itself", network=str(network))
    return found


def address(example: str) -> Check:
    def check(given: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        try:
            return ipaddress.ip_address(text(given))
        except ValueError as e:
            raise Bad("bad_value", type_id="sebuah alamat IP", type_en="an IP address", example=example) from e

    return check


def ssh_key(given: Any) -> str:
    """One line of authorized_keys without options; what is in base64 names its own kind (RFC 4253, 6.6)."""
    line = text(given).strip()
    kind, _, rest = line.partition(" ")
    named = len(kind).to_bytes(4) + kind.encode()
    try:
        sound = bool(SSH_KEY.fullmatch(line)) and base64.b64decode(rest.split(" ")[0], validate=True).startswith(named)
    except binascii.Error:
        sound = False
    if kind.startswith(("ssh-", "ecdsa-", "sk-")) and kind not in SSH_KINDS:
        raise Bad("weak_key")
    if not sound:
        raise Bad(
            "bad_value", type_id="satu baris kunci publik", type_en="one line of a public key",
            example='keys = ["ssh-ed25519 AAAA... budi"]',
        )  # fmt: skip
    return line


def password(shortest: int = SHORTEST_PASSWORD) -> Check:
    """Empty: as the box has it."""

    def check(given: Any) -> str:
        if text(given) and len(given) < shortest:
            raise Bad("short_password", least=shortest)
        if not str(given).isprintable():
            raise Bad("bad_value", type_id="satu baris teks", type_en="one line of text", example='password = "..."')
        return str(given)

    return check


def wifi_password(given: Any) -> str:
    if password(WIFI_PASSWORD[0])(given) and (len(given) not in WIFI_PASSWORD or not given.isascii()):
        raise Bad("bad_value", type_id="8 sampai 63 huruf ASCII", type_en="8 to 63 letters of ASCII", example='"..."')
    return str(given)


def words(given: Any) -> str:
    if text(given) and not WORDS.fullmatch(given.strip().lower()):
        raise Bad(
            "bad_value", type_id="empat kata dari layar pusat", type_en="the four words on the centre's screen",
            example='code = "lusab babad gutih tugad"',
        )  # fmt: skip
    return str(given).strip().lower()


server = like(SERVER, "nama atau alamat", "a name or an address", 'host = "192.168.112.10"')
host = like(HOST, "huruf kecil, angka dan -", "small letters, digits and -", 'name = "damkar-kota"')
file_name = like(FILE_NAME, "nama berkas di partisi ini", "the name of a file on this partition", 'site = "site.toml"')
person = like(PERSON, "huruf kecil, angka, . _ -", "small letters, digits, . _ -", 'name = "budi"')
