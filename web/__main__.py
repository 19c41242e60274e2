"""`python -m web --config FILE`: what `siaga web` becomes."""

import argparse
import logging
import os
import sys
from pathlib import Path

from appliance.cli import say_no
from appliance.config import SiteError, load_site
from drivers.clock import Clock
from web.server import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="siaga web", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="site file")
    options = parser.parse_args()
    logging.basicConfig(level=os.environ.get("SIAGA_LOG", "INFO").upper(), format="%(levelname)s %(name)s: %(message)s")
    clock = Clock.from_environment()
    try:
        clock.run(run(load_site(options.config), options.config, clock))
    except SiteError as e:
        return say_no(f"{e}", code=2)
    except OSError as e:
        return say_no(f"the page cannot be served: {e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
