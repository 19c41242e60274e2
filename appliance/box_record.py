"""What a box is, for its label and for the record that a technician prints and signs. No secret is in it."""

import base64
import hashlib
from datetime import datetime
from pathlib import Path

from appliance.config import ZONES, Site, SiteError, load_site
from appliance.first_boot import KEPT, SITE
from appliance.first_boot_file import Appliance, Refused, read
from appliance.first_boot_once import HOST_KEY, MACHINE_ID, OWN_KEY, fingerprint
from appliance.keys import load_key, public_hex
from appliance.label import Label
from appliance.make_view import VERSION
from appliance.people import read_people

LINE = "_" * 30


class NotSetUp(Exception):
    """The box took nothing over yet; the text says what to do."""


def box(data: Path) -> tuple[Appliance, Site]:
    """As it was taken over. Raises NotSetUp, OSError."""
    try:
        return read((data / KEPT).read_bytes()), load_site(data / SITE)
    except (FileNotFoundError, Refused, SiteError) as e:
        raise NotSetUp(
            f"{data} holds no box that is set up ({e}). On a box: journalctl -u siaga-first-boot says what is missing."
        ) from e


def address(told: Appliance) -> str:
    """By DHCP its name, which the router's DNS knows: nothing on a box answers for NAME.local."""
    return str(told.address.ip) if told.address else told.name


def page_of(told: Appliance, site: Site) -> str:
    """Where the certificate is, and the way to the page; a fixed one is better on a label than a name."""
    host = address(told)
    return f"http://{f'[{host}]' if ':' in host else host}:{site.web.port}/"


def label(data: Path) -> Label:
    """Raises NotSetUp, OSError, KeyFileError."""
    told, site = box(data)
    rows = (
        ("Alamat / address", str(told.address) if told.address else "DHCP"),
        ("Halaman / page", page_of(told, site)),
        ("Kunci / key", fingerprint(data)),
        ("Host", told.name),
    )
    return Label(title=site.name[:24], under=f"Siaga {site.role} · {site.site} · {site.id}", rows=rows,
                 url=page_of(told, site))  # fmt: skip


def ssh_print(line: str) -> str:
    """As `ssh-keygen -l` shows it."""
    octets = base64.b64decode(line.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(octets).digest()).decode().rstrip("=")


def record(data: Path, now: float, firmware: str = "-") -> str:
    """Text for a printer, 80 columns. `now`: unix seconds, 0 where the clock is not known; `firmware`: of the pins."""
    told, site = box(data)
    when = datetime.fromtimestamp(now, ZONES[site.zone]).strftime("%Y-%m-%d %H:%M") if now else "____-__-__ __:__"
    rows: list[tuple[str, str]] = [
        ("Kotak / box", f"{site.name} ({site.role} {site.id}, {site.site})"),
        ("Nama host / host name", told.name),
        ("Papan / board", told.profile),
        ("Versi / version", VERSION),
        ("Alamat / address", f"{told.address or 'DHCP'}{f', VLAN {told.vlan}' if told.vlan else ''}"),
        ("Gateway", str(told.gateway or "-")),
        ("DNS", ", ".join(map(str, told.dns)) or "-"),
        ("Wi-Fi", told.wifi.ssid if told.wifi else "-"),
        ("NTP", ", ".join(told.ntp) or "-"),
        ("Broker", f"{site.broker.host}:{site.broker.port}" if site.broker else "-"),
        ("Halaman / page", page_of(told, site)),
        ("Machine id", (data / MACHINE_ID).read_text().strip()),
        ("Kunci kotak / the box's key", f"{fingerprint(data)}"),
        ("", public_hex(load_key(data / OWN_KEY))),
        ("Kunci host SSH / SSH host key", ssh_print((data / f"{HOST_KEY}.pub").read_text())),
        ("Berkas situs / site file", f"SHA-256 {hashlib.sha256((data / SITE).read_bytes()).hexdigest()[:16]}"),
    ]
    rows += [("Login SSH", f"{key.split()[2] if len(key.split()) > 2 else '?'} {ssh_print(key)}") for key in told.ssh]
    rows += [("Orang / person", f"{p.name} ({p.role})") for p in read_people(data / "siaga/people.json").values()]
    rows.append(("Pin aman / pins safe at start", firmware))
    wired = site.annunciator
    rows += [("Keluaran / output", f"GPIO {out.pin:>2}  {name} ({out.kind})") for name, out in wired.output.items()]
    rows += [("Masukan / input", f"GPIO {into.pin:>2}  {name} ({into.kind})") for name, into in wired.input.items()]
    rows += [("Saluran / line", f"{line.id} {line.number}") for line in site.line]
    body = "\n".join(f"{name:<30} {text}" for name, text in rows)
    sign = "\n\n".join(f"{who:<24}: {LINE}  {LINE[:16]}" for who in ("Teknisi / technician", "Saksi / witness"))
    return f"CATATAN PEMASANGAN / RECORD OF THE SET-UP          {when}\n{'=' * 80}\n{body}\n{'-' * 80}\n\n{sign}\n"
