"""A /sys with USB devices that are not there, for udev's own program to read: hubs, modems, adapters, sound cards."""

import os
from dataclasses import dataclass
from pathlib import Path

PI4 = "devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb1"
# A Pi 5's two controllers, as Debian's device tree names them.
RP1 = "devices/platform/axi/1000120000.pcie/pci0002:00/0002:00:00.0/0002:01:00.0"
PI5_FIRST = f"{RP1}/c040200000.usb/xhci-hcd.0/usb1"
PI5_SECOND = f"{RP1}/c040300000.usb/xhci-hcd.1/usb3"
BUSES = ("usb", "usb-serial", "pci", "platform")


@dataclass
class UsbTree:
    root: Path

    def device(self, path: str, subsystem: str, *, event: str = "", **attributes: str) -> str:
        """One folder of /sys with its `uevent` and what else can be read. Gives its path in /sys."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "uevent").write_text(event)
        for name, value in attributes.items():
            (folder / name).write_text(f"{value}\n")
        kind = self.root / ("bus" if subsystem in BUSES else "class") / subsystem
        kind.mkdir(parents=True, exist_ok=True)
        (folder / "subsystem").unlink(missing_ok=True)
        (folder / "subsystem").symlink_to(os.path.relpath(kind, folder))
        return f"/sys/{path}"

    def driver(self, path: str, name: str) -> None:
        driver = self.root / "bus" / "usb-serial" / "drivers" / name
        driver.mkdir(parents=True, exist_ok=True)
        (self.root / path / "driver").symlink_to(os.path.relpath(driver, self.root / path))

    def plug(self, place: str, vendor: str, product: str, *, root: str = PI4) -> str:
        """A device at `place` (1.2: socket 2 of the hub in socket 1), and the hubs before it. Gives its path."""
        self.device(root.rpartition("/")[0], "pci" if root == PI4 else "platform")
        bus = root[-1]
        path = root
        self.device(path, "usb", event="DEVTYPE=usb_device\n", idVendor="1d6b", idProduct="0002", devpath="0")
        parts = place.split(".")
        for depth in range(1, len(parts) + 1):
            at = ".".join(parts[:depth])
            path = f"{path}/{bus}-{at}"
            who = (vendor, product) if at == place else ("2109", "3431")
            self.device(
                path, "usb", event=f"DEVTYPE=usb_device\nPRODUCT={who[0]}/{who[1]}/100\n",
                idVendor=who[0], idProduct=who[1], devpath=at, bcdDevice="0100",
            )  # fmt: skip
        return path

    def interface(self, device: str, number: str, kind: str = "ff") -> str:
        path = f"{device}/{device.rpartition('/')[2]}:1.{int(number, 16)}"
        self.device(
            path, "usb", event="DEVTYPE=usb_interface\n", bInterfaceNumber=number, bInterfaceClass=kind,
            bInterfaceSubClass="00", bInterfaceProtocol="00",
        )  # fmt: skip
        return path

    def port(self, device: str, number: str, name: str, driver: str = "option1") -> str:
        """A serial port on interface `number` of a device. Gives its path in /sys."""
        serial = f"{self.interface(device, number)}/{name}"
        self.device(serial, "usb-serial")
        self.driver(serial, driver)
        return self.device(f"{serial}/tty/{name}", "tty", event=f"MAJOR=188\nMINOR={name[-1]}\nDEVNAME={name}\n")

    def card(self, device: str, number: int) -> str:
        """A sound card. Gives its path in /sys."""
        return self.device(
            f"{self.interface(device, '00', '01')}/sound/card{number}", "sound", id="Device", number=str(number)
        )
