"""What systemd-networkd, chronyd and wpa_supplicant are given for an `appliance.toml`. Texts only."""

import hashlib

from appliance.first_boot_file import Appliance, Wifi

HEAD = "# Written at each boot from appliance.toml; changes here are lost.\n"
WIRED = "en* eth*"  # what a Pi's and a PC's wired ports are called
VLAN_PORT = "siaga0"
# Nothing waits for the network: the siren path is ready before it. A lease goes by the port's own address, so that a
# card that was written anew keeps it.
DHCP = "[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n"
LINK = "[Link]\nRequiredForOnline=no\n"


def network_files(told: Appliance | None) -> dict[str, str]:
    """By name, for /run/systemd/network. None: DHCP on every wired port, so that the page can be reached."""
    if told is None:
        return {"10-siaga.network": f"{HEAD}[Match]\nName={WIRED}\n\n{LINK}\n[Network]\nDHCP=yes\n\n{DHCP}"}
    files = {}
    if told.vlan is None:
        files["10-siaga.network"] = f"{HEAD}[Match]\nName={WIRED}\n\n{LINK}\n{_addresses(told)}"
    else:
        trunk = f"[Network]\nVLAN={VLAN_PORT}\nDHCP=no\nLinkLocalAddressing=no\n"
        files["10-siaga.network"] = f"{HEAD}[Match]\nName={WIRED}\n\n{LINK}\n{trunk}"
        files["10-siaga-vlan.netdev"] = f"{HEAD}[NetDev]\nName={VLAN_PORT}\nKind=vlan\n\n[VLAN]\nId={told.vlan}\n"
        files["11-siaga-vlan.network"] = f"{HEAD}[Match]\nName={VLAN_PORT}\n\n{LINK}\n{_addresses(told)}"
    if told.wifi:
        # Behind the cable: orders go by it only while the cable is out.
        metric = "\n[DHCPv4]\nClientIdentifier=mac\nRouteMetric=2048\n"
        files["20-siaga-wifi.network"] = f"{HEAD}[Match]\nName=wl*\n\n{LINK}\n[Network]\nDHCP=ipv4\n{metric}"
    return files


def _addresses(told: Appliance) -> str:
    dns = "".join(f"DNS={server}\n" for server in told.dns)
    if told.address is None:
        return f"[Network]\nDHCP=yes\n{dns}\n{DHCP}"
    gateway = f"Gateway={told.gateway}\n" if told.gateway else ""
    return f"[Network]\nDHCP=no\nAddress={told.address}\n{gateway}{dns}"


def time_sources(told: Appliance) -> str:
    """A file of a chrony source directory; empty where chrony's own configuration shall do."""
    return HEAD + "".join(f"server {server} iburst\n" for server in told.ntp) if told.ntp else ""


def wifi_key(wifi: Wifi) -> str:
    """The network's key made of its password, so that the password itself is kept nowhere (IEEE 802.11i, H.4)."""
    return hashlib.pbkdf2_hmac("sha1", wifi.password.encode(), wifi.ssid.encode(), 4096, 32).hex()


def wifi_file(wifi: Wifi, key: str) -> str:
    """For wpa_supplicant. `key`: 64 hex digits. The name is given in hex, since quotes cannot be escaped there."""
    network = f"network={{\n\tssid={wifi.ssid.encode().hex()}\n\tpsk={key}\n}}\n"
    return f"{HEAD}country={wifi.country}\nctrl_interface=/run/wpa_supplicant\n{network}"


def logins(told: Appliance) -> str:
    """authorized_keys."""
    return HEAD + "".join(f"{key}\n" for key in told.ssh) if told.ssh else ""
