"""`appliance.toml` is read strictly: everything that is wrong is told at once, with its line, in two languages."""

import re
from pathlib import Path

import pytest
from boot_card import APPLIANCE, SSH_KEY

from appliance.first_boot_file import KEYS, PERSON, Refused, read
from appliance.first_boot_words import WORDS

EXAMPLE = Path(__file__).parents[2] / "firmware-config/boot/appliance.example.toml"
DOCUMENT = Path(__file__).parents[2] / "docs/first-boot.md"
ALL = [*((table, key) for table, keys in KEYS.items() for key in keys), *(("person", key) for key in PERSON)]


def refused(text: str) -> dict[str, str]:
    """What is said of each key, in English."""
    with pytest.raises(Refused) as told:
        read(text.encode())
    return {one.key: one.told(1) for one in told.value.faults}


def test_a_good_file_is_taken() -> None:
    told = read(APPLIANCE.encode())
    assert (told.role, told.name, str(told.address)) == ("station", "damkar-kota", "192.168.112.11/24")
    assert told.mqtt == ("192.168.112.10", 8883)
    assert [person.name for person in told.people] == ["budi"]


def test_windows_line_ends_and_its_mark_do_no_harm() -> None:
    assert read(b"\xef\xbb\xbf" + APPLIANCE.replace("\n", "\r\n").encode()) == read(APPLIANCE.encode())


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('role = "station"', 'role = "boss"', "box.role", "line 4"),
        ('name = "damkar-kota"', 'name = "Damkar Kota"', "box.name", "small letters"),
        ('name = "damkar-kota"\n', "", "box.name", "must be given"),
        ('profile = "pi4"', 'profile = "pi3"', "box.profile", '"pi5"'),
        ('profile = "pi4"', 'profile = "pi4"\nfault_lamp = 4', "box.fault_lamp", "9 to 27"),
        ("192.168.112.11/24", "192.168.112.11", "network.address", "length of its network"),
        ("192.168.112.11/24", "192.168.112.255/24", "network.address", "broadcast"),
        ('gateway = "192.168.112.1"', 'gateway = "10.0.0.1"', "network.gateway", "not in the network"),
        ("[network]\n", "[network]\ndhcp = true\n", "network.address", "exclude each other"),
        ('dns = ["192.168.112.1"]', 'dns = "192.168.112.1"', "network.dns", "a list"),
        ('dns = ["192.168.112.1"]', "vlan = 4095", "network.vlan", "1 to 4094"),
        ("sangat-rahasia", "kurang", "network.wifi.password", "8 characters"),
        ('ntp = ["192.168.112.1", "pool.example.org"]', 'ntp = ["a b"]', "time.ntp", "name or an address"),
        ("ssh-ed25519 AAAA", "ssh-rsa AAAA", "ssh.keys", "ssh-keygen -t ed25519"),
        ("ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "ssh.keys", "one line of a public key"),
        ("ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh.keys", "one line of a public key"),
        ('[mqtt]\nhost = "192.168.112.10"', '[mqtt]\nport = "x"', "mqtt.port", "whole number"),
        ("[mqtt]", '[keys]\ngrant = "grant.txt"\n\n[mqtt]', "keys.code", "must be given"),
        ('site = "site.toml"', 'site = "../../etc/shadow"', "site", "name of a file"),
        ("kopi-susu-manis", "pendek", "person.0.password", "8 characters"),
        ("[box]", "[box]\ncolour = 1", "box.colour", "not known"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_place(old: str, new: str, key: str, said: str) -> None:
    assert old in APPLIANCE
    faults = refused(APPLIANCE.replace(old, new, 1))
    assert said in faults[key], faults


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() -> None:
    text = APPLIANCE.replace("station", "boss").replace("damkar-kota", "X Y").replace("/24", "/99").replace("pi4", "z")
    with pytest.raises(Refused) as told:
        read(text.encode())
    lines = [one.line for one in told.value.faults]
    assert [one.key for one in told.value.faults] == ["box.role", "box.name", "box.profile", "network.address"]
    assert lines == sorted(lines)
    assert all(text.splitlines()[one.line - 1].startswith(one.key.split(".")[-1]) for one in told.value.faults)


def test_a_centre_is_not_told_where_the_centre_is() -> None:
    assert "Only for" in refused(APPLIANCE.replace('role = "station"', 'role = "centre"'))["mqtt"]


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"role = ", "line 1"),
        (b'[box]\nname = "a\n', "line 2"),
        (b"\xff\xfe[\x00", "not text in UTF-8"),
        (b"#" * 70_000, "longer than"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(octets: bytes, said: str) -> None:
    with pytest.raises(Refused) as told:
        read(octets)
    assert said in told.value.faults[0].told(1)


def test_the_example_is_good_and_explains_every_key() -> None:
    text = EXAMPLE.read_text()
    assert read(text.encode()).role == "station"
    for table, key in ALL:
        assert f"{key} = " in text, f"{table}.{key}"


def test_the_examples_commented_keys_are_good_too() -> None:
    text = EXAMPLE.read_text().replace("\nkeys = []", "").replace("ssh-ed25519 AAAA...", SSH_KEY)
    text = text.replace("# dhcp = true\n", "").replace('"..."', '"panjang-sekali"')
    given = re.compile(r"# (\[+[a-z.]+\]+|[a-z_]+ = (?!true, ).*)")
    lines = [found[1] if (found := given.fullmatch(line)) else line for line in text.splitlines()]
    told = read("\n".join(lines).encode())
    assert all((told.wifi, told.code, told.people, told.ssh))
    assert (told.vlan, told.fault_lamp) == (112, 23)


def test_the_document_has_every_key() -> None:
    text = DOCUMENT.read_text()
    for _, key in ALL:
        assert f"| `{key}` |" in text, key


def test_every_fault_has_words_in_both_languages() -> None:
    for code, words in WORDS.items():
        assert all(words), code
        assert words[0] != words[1], code
