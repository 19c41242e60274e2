"""Secrets of the site that systemd hands to core alone (LoadCredential=), so that the site file need not hold them.

`/etc/siaga/secrets.toml`, root's alone: `[pin]`, by the line's id, the PIN of its SIM.
"""

import os
from pathlib import Path

import msgspec

from appliance.config import Pin, Site, SiteError

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
FILE = "secrets.toml"
PLACE = Path("/etc/siaga") / FILE  # that the unit reads it from


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pin: dict[str, Pin] = {}


def with_credentials(site: Site) -> Site:
    """The site with what the credentials add; as it is where systemd gave none. Raises SiteError.

    They count before the site file. The error never quotes the file.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return site
    try:
        secrets = msgspec.toml.decode((Path(folder) / FILE).read_bytes(), type=Secrets)
    except FileNotFoundError:
        return site
    except msgspec.ValidationError as e:
        raise SiteError(PLACE, [f'{e}. It holds [pin] with l1 = "1234" and nothing else.']) from e
    except (OSError, msgspec.DecodeError) as e:  # the decoder's own words may quote the line
        raise SiteError(PLACE, ["It is no TOML that can be read."]) from e
    if unknown := set(secrets.pin) - {line.id for line in site.line}:
        raise SiteError(PLACE, [f"There is no line {name!r} that could have a PIN." for name in sorted(unknown)])
    lines = tuple(
        msgspec.structs.replace(line, pin=secrets.pin[line.id]) if line.id in secrets.pin else line
        for line in site.line
    )
    return msgspec.structs.replace(site, line=lines)
