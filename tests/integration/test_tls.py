"""`siaga web` over TLS beside its plain port, asked by curl and openssl: who trusts it, who is sent where, what still
works when its folder does not.
"""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import tomli_w
import websockets

from appliance.config import load_site, places
from web.addresses import addresses

ROOT = Path(__file__).parents[2]
START_WITHIN = 20.0  # s; an interpreter on a busy machine
NAME = "siaga.lan"
SIREN = {"pin": 17, "kind": "siren", "max_s": 600}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class SecuredBox:
    """A web process alone: without core, it serves what the journal says."""

    def __init__(self, folder: Path) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.file = folder / "site.toml"
        site = {
            "role": "centre", "site": "ambon", "id": "pusat", "name": "Pusat",
            "web": {"host": "0.0.0.0", "port": self.port, "tls_port": self.tls_port, "names": [NAME]},
            "annunciator": {"socket": "a.sock", "factory": "mock", "output": {"siren": SIREN}},
            "own": {"id": "pusat", "number": 1, "siren": "siren"},
            "station": [{"id": "pusat", "number": 1, "name": "Pusat", "local": True}],
        }  # fmt: skip
        self.file.write_text(tomli_w.dumps(site))
        self.tls = places(load_site(self.file), self.file).tls
        self.authority = folder / "ca.crt"
        self.own = f"http://localhost:{self.port}"
        self.secure = f"https://{NAME}:{self.tls_port}"

    @asynccontextmanager
    async def running(self, *, secure: bool = True) -> AsyncIterator[None]:
        command = [sys.executable, "-m", "web", "--config", str(self.file)]
        web = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
        try:
            async with asyncio.timeout(START_WITHIN):
                while not all(map(_open, [self.port, *([self.tls_port] if secure else [])])):
                    await asyncio.sleep(0.05)
            if secure:
                self.authority.write_text(await curl(f"{self.own}/ca.crt"))
            yield
        finally:
            web.terminate()
            assert await web.wait() == 0

    async def trusting(self, address: str, *arguments: str) -> str:
        """The answer over TLS to somebody who trusts this authority only; the name leads to this machine."""
        lead = ["--connect-to", f"{NAME}:{self.tls_port}:127.0.0.1:{self.tls_port}"]
        return await curl(address, "--cacert", str(self.authority), *lead, *arguments)


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def curl(address: str, *arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--noproxy", "*", *arguments, address]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConnectionError(done.stderr)
    return done.stdout


STATUS = ("--output", os.devnull, "--write-out", "%{http_code} %{redirect_url}")


def lan_address() -> str | None:
    return next((a for a in sorted(addresses()) if ":" not in a and not a.startswith("127.")), None)


@pytest.fixture
def box(tmp_path: Path) -> SecuredBox:
    return SecuredBox(tmp_path)


async def test_who_installed_the_certificate_is_served_and_who_did_not_is_warned(box: SecuredBox) -> None:
    async with box.running():
        for host in (NAME, "127.0.0.1", "localhost", *filter(None, [lan_address()])):
            assert "SIAGA" in await box.trusting(f"https://{host}:{box.tls_port}/")
        with pytest.raises(ConnectionError, match="certificate"):
            await curl(box.secure, "--connect-to", f"{NAME}:{box.tls_port}:127.0.0.1:{box.tls_port}")
        lead = f"www.example.org:{box.tls_port}:127.0.0.1:{box.tls_port}"
        with pytest.raises(ConnectionError, match="name"):
            await box.trusting(f"https://www.example.org:{box.tls_port}/", "--connect-to", lead)
        asked = ["openssl", "s_client", "-connect", f"127.0.0.1:{box.tls_port}", "-CAfile", str(box.authority)]
        asked += ["-verify_return_error", "-verify_hostname", NAME, "-x509_strict", "-brief"]
        said = await asyncio.to_thread(subprocess.run, asked, input="", capture_output=True, text=True, timeout=20)
        assert "Verification: OK" in said.stderr
        assert "TLSv1.3" in said.stderr


async def test_the_plain_port_is_the_own_screens_and_another_sites_page_gets_neither_page_nor_voice(
    box: SecuredBox,
) -> None:
    async with box.running():
        assert await curl(f"{box.own}/", *STATUS) == "200 "
        assert "siaga-ca.crt" in await curl(f"{box.own}/certificate")
        # The box's own browser under a name that browsers do not hold for safe is sent like anybody.
        plain = ["--connect-to", f"{NAME}:{box.port}:127.0.0.1:{box.port}"]
        strange = f"http://{NAME}:{box.port}"
        assert await curl(f"{strange}/messages?a=1", *plain, *STATUS) == f"307 {box.secure}/messages?a=1"
        assert await curl(f"{strange}/certificate?language=en", *plain, *STATUS) == "200 "
        assert "BEGIN CERTIFICATE" in await curl(f"{strange}/ca.crt", *plain)
        assert "PRIVATE" not in await curl(f"{strange}/ca.crt", *plain)
        assert await curl(f"{strange}/login", *plain, "--data", "name=budi&password=x", *STATUS) == "403 "
        if address := lan_address():
            told = await curl(f"http://{address}:{box.port}/", *STATUS)
            assert told == f"307 https://{address}:{box.tls_port}/"
        strict = await box.trusting(f"{box.secure}/", "--head")
        assert "strict-transport-security" not in strict.lower()

        trust = ssl.create_default_context(cafile=box.authority)
        there = f"wss://127.0.0.1:{box.tls_port}/talk"
        for origin in ("https://evil.example", f"http://127.0.0.1:{box.tls_port}"):
            with pytest.raises(websockets.InvalidStatus, match="403"):
                await websockets.connect(there, ssl=trust, additional_headers={"Origin": origin}).__aenter__()
        async with websockets.connect(there, ssl=trust, origin=f"https://127.0.0.1:{box.tls_port}") as ours:  # type: ignore[arg-type]
            await ours.wait_closed()
            assert ours.close_code == 4401  # nobody is logged in


async def test_a_folder_that_cannot_be_used_costs_tls_and_nothing_else(box: SecuredBox) -> None:
    box.tls.mkdir(parents=True)
    (box.tls / "authority.pem").mkdir()
    async with box.running(secure=False):
        assert await curl(f"{box.own}/", *STATUS) == "200 "
        assert "authority.pem" in await curl(f"{box.own}/certificate")
        plain = ["--connect-to", f"{NAME}:{box.port}:127.0.0.1:{box.port}"]
        assert await curl(f"http://{NAME}:{box.port}/", *plain, *STATUS) == "503 "
        assert "authority.pem" not in await curl(f"http://{NAME}:{box.port}/certificate", *plain)
