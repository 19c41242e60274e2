"""Who may order this station, as the site file has them: public keys by their ids, with the numbers to write to."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.config import Site
from appliance.keys import key_id, keyring, public_key


class SiteIssuers(Mapping[int, Ed25519PublicKey]):
    """By key id."""

    def __init__(self, site: Site) -> None:
        keys = {issuer.name: public_key(issuer.key, f"issuer {issuer.name}") for issuer in site.issuer}
        self._held = keyring(keys.values())
        self._names = {key_id(key): name for name, key in keys.items()}
        self._sms = {issuer.name: issuer.sms for issuer in site.issuer}

    def name(self, id: int) -> str:
        return self._names.get(id, "")

    def numbers(self, id: int) -> tuple[str, ...]:
        """The first is written to when none has asked."""
        return self._sms.get(self.name(id), ())

    def __getitem__(self, id: int) -> Ed25519PublicKey:
        return self._held[id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)
