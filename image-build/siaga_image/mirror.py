"""Where Debian's packages come from: the mirror that this machine's own apt is set to. No address stands here."""

import os
import subprocess

from siaga_image.steps import BuildFailed

SUITE = "trixie"
COMPONENTS = "main non-free-firmware"  # the second: a Pi's first stage
VARIABLE = "SIAGA_MIRROR"  # for a machine whose apt is set to something else


def sources() -> str:
    """The text of a sources.list for Debian trixie, its updates, security and backports. Raises BuildFailed."""
    if VARIABLE in os.environ:
        mirror = os.environ[VARIABLE].rstrip("/")
        return _lines(mirror, mirror.removesuffix("/debian") + "/debian-security")
    wanted = ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(ORIGIN) $(RELEASE)", "Created-By: Packages"]
    try:
        listed = subprocess.run(wanted, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as e:
        raise BuildFailed(f"apt does not say where its packages come from: {e}. Next: build on a Debian.") from e
    rows = [line.split() for line in listed.splitlines()]
    debian = [row[0] for row in rows if len(row) == 4 and row[2] == "Debian"]
    plain = [site for site in debian if not site.rstrip("/").endswith("-security")]
    security = [site for site in debian if site.rstrip("/").endswith("-security")]
    if not plain:
        raise BuildFailed(
            f"This machine's apt names no mirror of Debian. Next: apt-get update, or {VARIABLE}=ADDRESS make image."
        )
    return _lines(plain[0], security[0] if security else plain[0].rstrip("/") + "-security")


def _lines(mirror: str, security: str) -> str:
    suites = [f"deb {mirror} {suite} {COMPONENTS}" for suite in (SUITE, f"{SUITE}-updates", f"{SUITE}-backports")]
    return "\n".join([*suites, f"deb {security} {SUITE}-security {COMPONENTS}"]) + "\n"
