"""`python -m web --config FILE`: the process that serves the pages (`siaga web` becomes it)."""

import argparse
import sys
from pathlib import Path

from appliance import logs
from appliance.config import Site, SiteError, load_site
from drivers.clock import Clock
from web.listener import CannotListen
from web.server import run

BAD_SITE = 2  # exit code; systemd does not start it again and again for a file that is wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="siaga web", description="Serve the operator's pages.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="site file")
    file = parser.parse_args().config
    logs.set_up("siaga-web")
    clock = Clock.from_environment()

    async def serve() -> None:
        site: Site | None = load_site(file)
        while site is not None:
            site = await run(site, file, clock)

    try:
        clock.run(serve())
    except SiteError as e:
        sys.stderr.write(f"{e}\n")
        return BAD_SITE
    except CannotListen as e:
        sys.stderr.write(f"{e.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
