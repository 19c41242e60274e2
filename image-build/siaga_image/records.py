"""What is inside, for people and scanners: a list of packages, and a bill of materials (CycloneDX 1.5). Pure."""

import dataclasses
import json
import re
import uuid
from collections.abc import Iterable

from siaga_image.lock import COMPILED, FROM_DEBIAN, LEFT_OUT, Locked


@dataclasses.dataclass(frozen=True, order=True)
class Part:
    """`kind`: deb, pypi or npm. `hash` is the sha256 of the file that was taken; empty where nobody says it."""

    kind: str
    name: str
    version: str
    arch: str
    hash: str

    def url(self) -> str:
        """The package's name for scanners."""
        if self.kind == "deb":
            return f"pkg:deb/debian/{self.name}@{_quoted(self.version)}?arch={self.arch}"
        return f"pkg:{self.kind}/{self.name}@{_quoted(self.version)}"


def _quoted(version: str) -> str:
    return version.replace("%", "%25").replace("+", "%2B").replace(":", "%3A").replace("~", "~")


def debian(stanzas: str) -> list[Part]:
    """From apt's description of each package. Raises ValueError for one without a hash."""
    parts = set()
    for stanza in stanzas.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
        if not fields:
            continue
        if "SHA256" not in fields:
            raise ValueError(f"apt knows no hash of {fields['Package']} {fields['Version']}.")
        parts.add(Part("deb", fields["Package"], fields["Version"], fields["Architecture"], fields["SHA256"]))
    return sorted(parts)


def firmware(sums: str) -> list[Part]:
    """From the SHA256SUMS of packages that are only unpacked: `HASH  NAME_VERSION_ARCH.deb`."""
    parts = []
    for line in sums.splitlines():
        hash, file = line.split()
        name, version, arch = file.removesuffix(".deb").split("_")
        parts.append(Part("deb", name, version.replace("%3a", ":"), arch, hash))
    return parts


def python(packages: Iterable[Locked], files: dict[str, str]) -> list[Part]:
    """The lock's packages that were taken; `files`: sha256 of each downloaded file, by its hash."""
    other = {*FROM_DEBIAN, *LEFT_OUT}
    parts = []
    for package in packages:
        if package.name in other:
            continue
        taken = [hash for hash in package.hashes if hash in files]
        if len(taken) != 1:
            raise ValueError(f"{package.name} {package.version}: {len(taken)} files of the lock were taken, not one.")
        kind = "source" if package.name in COMPILED else "wheel"
        parts.append(Part("pypi", package.name, package.version, kind, taken[0]))
    return parts


def scripts(lock: str, names: Iterable[str]) -> list[Part]:
    """The pages' scripts, from the text of package-lock.json."""
    rows = json.loads(lock)["packages"]
    return [Part("npm", name, rows[f"node_modules/{name}"]["version"], "source", "") for name in sorted(names)]


def listing(parts: Iterable[Part]) -> str:
    """One line a package: kind, name, version, architecture, sha256."""
    rows = [f"{part.kind}\t{part.name}\t{part.version}\t{part.arch}\t{part.hash or '-'}" for part in sorted(parts)]
    return "\n".join(rows) + "\n"


def bill(parts: Iterable[Part], *, version: str, profile: str, time: str, tree: str) -> str:
    """CycloneDX. `tree` is the root file system's sha256; `time` the commit's."""
    components = []
    for part in sorted(parts):
        component: dict[str, object] = {
            "type": "library" if part.kind != "deb" else "application",
            "bom-ref": part.url(),
            "name": part.name,
            "version": part.version,
            "purl": part.url(),
        }
        if part.hash:
            component["hashes"] = [{"alg": "SHA-256", "content": part.hash}]
        components.append(component)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same image has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'siaga {version} {profile} {tree}')}",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "component": {
                "type": "operating-system",
                "bom-ref": f"siaga@{version}",
                "name": f"siaga-{profile}",
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": tree}],
            },
        },
        "components": components,
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
