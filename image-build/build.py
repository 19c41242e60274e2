"""`make image`: from this repository to files that a card is written with. docs/image.md says what comes out."""

import argparse
import fcntl
import os
import signal
import sys
import time

from siaga_image import base, image, needs, profile, tools
from siaga_image.profile import ROOT
from siaga_image.release import commit_time, version
from siaga_image.steps import BuildFailed, Steps

HOST_ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="pi4", choices=profile.all_names())
    parser.add_argument("--no-compress", action="store_true", help="leave out the .zst, for tests")
    parser.add_argument("--fetch-only", action="store_true", help="no image: only the cached Debian it is made from")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("An image is built as root: its files belong to users that only root may make. Next: sudo make image.")
        return 1
    cache = (ROOT / "build" / "cache").resolve()  # systemctl --root takes no symlink on the way
    cache.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is mounted or half made is undone either way
    began = time.monotonic()
    wanted = profile.load(options.profile)
    lock = (cache / "build.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # two builds work in one stage: the second waits
    steps = Steps(ROOT / "build" / "image" / f"{wanted.name}.log")
    try:
        host = HOST_ARCHES[os.uname().machine]
        needs.check(wanted.arch, host)
        prepared = tools.prepare(wanted, cache, host, steps)
        tree = base.prepare(wanted, cache, host, commit_time(), steps)
        made = []
        if not options.fetch_only:
            made = image.build(
                wanted, tree, version(), commit_time(), cache, prepared, steps, compress=not options.no_compress
            )
        for path in made:
            print(f"  {path.stat().st_size / 1e6:8.1f} MB  {path.relative_to(ROOT)}")
    except BuildFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Next: make image again; what is in the cache is used again.", file=sys.stderr)
        return 130
    finally:
        lock.close()
    print(f"{time.monotonic() - began:.1f} s in all.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
