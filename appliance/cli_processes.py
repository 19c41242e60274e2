"""`siaga core | annunciator | audio | web`: one process each, told by a site file, stopped by SIGTERM."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from appliance.cli import SITE_FILE, SITE_VARIABLE, say_no


def add_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get(SITE_VARIABLE, SITE_FILE))
    parser.add_argument("--config", type=Path, metavar="FILE", default=default, help=f"site file (default {default})")
    parser.set_defaults(run={"core": _core, "annunciator": _annunciator, "audio": _audio, "web": _web}[name])


def _core(options: argparse.Namespace) -> int:
    from appliance.config import Site, SiteError, load_site
    from appliance.core import Core
    from appliance.credentials import with_credentials
    from appliance.keys import KeyFileError
    from drivers.clock import Clock

    clock = Clock.from_environment()

    async def serve() -> None:
        def read(file: Path) -> Site:
            return with_credentials(load_site(file))

        hung_up = asyncio.Event()  # of the process, not of one core: a signal between two of them ends nobody
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
        site: Site | None = read(options.config)
        while site is not None:  # each changed file that it takes makes its rooms anew
            site = await Core(site, options.config, clock, read, hung_up).run()

    try:
        clock.run(serve())
    except (SiteError, KeyFileError) as e:
        return say_no(f"{e}", code=2)
    except OSError as e:
        return say_no(f"core cannot start: {e}")
    return 0


def _annunciator(options: argparse.Namespace) -> int:
    from appliance.annunciator import main

    return main(["--config", str(options.config)])


def _audio(options: argparse.Namespace) -> int:
    from appliance.audio import main

    return main(options.config)


def _web(options: argparse.Namespace) -> int:
    # Imports run one way, web -> appliance: the page is another program, and this process becomes it.
    os.execv(sys.executable, [sys.executable, "-m", "web", "--config", str(options.config)])
