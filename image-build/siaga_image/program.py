"""Siaga itself in a tree: /opt/siaga with the repository's folders, and a virtual environment put together from wheels.

No program of the box's architecture runs for it: wheels are only unpacked, and bytecode is the same everywhere.
"""

import hashlib
import shutil
import sys
import tarfile
from pathlib import Path

from siaga_image import lock
from siaga_image.profile import ROOT, Profile
from siaga_image.steps import BuildFailed, Steps
from siaga_image.tools import Tools

FOLDERS = ("appliance", "drivers", "web", "firmware-config")
# Which builds of wheels Debian's C library takes; pip wants each named.
GLIBC = ("2014", "_2_17", "_2_24", "_2_26", "_2_27", "_2_28", "_2_31", "_2_34", "_2_35", "_2_36", "_2_39")
START = """#!/opt/siaga/.venv/bin/python
import sys

from appliance.cli import main

sys.exit(main())
"""
NEXT = "Next: see that the network and pip's configuration (pip config list) are right, then make image again."


def python_of(tree: Path) -> str:
    """`3.13`: Debian's Python in the tree."""
    return (tree / "usr/bin/python3").readlink().name.removeprefix("python")


def download(profile: Profile, python: str, cache: Path, steps: Steps) -> Path:
    """Wheels for the box and the sources that are compiled, each checked against the lock. Cached by it."""
    packages = lock.read(ROOT / "requirements.lock")
    wheels = "\n".join(package.requirement() for package in lock.wheels(packages))
    sources = "\n".join(package.requirement() for package in packages if package.name in lock.COMPILED)
    key = hashlib.sha256(f"{python} {GLIBC} {wheels} {sources}".encode()).hexdigest()[:12]
    folder = cache / f"wheels-{profile.arch}-{key}"
    if (folder / "whole").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "wheels.txt").write_text(wheels)
    (folder / "sources.txt").write_text(sources)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--require-hashes"]
    pip += ["--dest", str(folder)]
    with steps.step(f"Python packages for {profile.arch}, once"):
        steps.run([*pip, *_target(profile, python), "-r", str(folder / "wheels.txt")], next=NEXT)
        source = [*pip, "--no-binary=:all:", "--no-build-isolation", "-r", str(folder / "sources.txt")]
        steps.run(source, next=NEXT)
    (folder / "whole").touch()
    return folder


def _target(profile: Profile, python: str) -> list[str]:
    words = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    words += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    return words + [f"--platform=manylinux{glibc}_{profile.machine}" for glibc in GLIBC]


def install(tree: Path, profile: Profile, downloaded: Path, version: str, tools: Tools, steps: Steps) -> None:
    """Fill /opt/siaga. `tree` is below the tools' stage."""
    python, opt = python_of(tree), tree / "opt/siaga"
    site = opt / ".venv/lib" / f"python{python}" / "site-packages"
    site.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--no-compile", "--no-index"]
    pip += ["--require-hashes", f"--find-links={downloaded}", f"--target={site}", *_target(profile, python)]
    steps.run([*pip, "-r", str(downloaded / "wheels.txt")], next=NEXT, environment={"PIP_FIND_LINKS": ""})
    shutil.rmtree(site / "bin", ignore_errors=True)
    compile_lgpio(site, profile, python, downloaded, tools)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, opt / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    if not (opt / "web/static/vendor").is_dir():
        raise BuildFailed("web/static/vendor is missing: the pages would have no scripts. Next: make setup.")
    shutil.copyfile(ROOT / "pyproject.toml", opt / "pyproject.toml")
    (opt / "VERSION").write_text(f"{version}\n")
    _environment(opt, site, version)
    within = "/" + str(tree.relative_to(tools.root))
    tools.run(
        [
            "python3",
            "-m",
            "compileall",
            "-q",
            "-j1",
            "--invalidation-mode=unchecked-hash",
            "-s",
            within,
            f"{within}/opt/siaga",
        ],
        PYTHONHASHSEED="0",
    )


def _environment(opt: Path, site: Path, version: str) -> None:
    bin = opt / ".venv/bin"
    bin.mkdir()
    for name in ("python", "python3"):
        (bin / name).symlink_to("/usr/bin/python3")
    (bin / "siaga").write_text(START)
    (bin / "siaga").chmod(0o755)
    # For a person at the console.
    (opt.parent.parent / "usr/local/bin/siaga").symlink_to("/opt/siaga/.venv/bin/siaga")
    # Debian's site-packages: python3-systemd and python3-pyaudio.
    (opt / ".venv/pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    (site / "siaga.pth").write_text("/opt/siaga\n")
    # A version's letters behind + are allowed there; a hyphen is not.
    described = site / "siaga.dist-info"
    described.mkdir()
    number = version.replace("-changed", ".changed")
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: siaga\nVersion: {number}\n")


def compile_lgpio(site: Path, profile: Profile, python: str, downloaded: Path, tools: Tools) -> None:
    """lgpio with its C library in it, as its own setup.py does for a wheel."""
    archive = next(downloaded.glob("lgpio-*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(tools.stage, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(tools.stage)
    source = tools.stage / archive.name.removesuffix(".tar.gz")
    library = f"_lgpio.cpython-{python.replace('.', '')}-{profile.machine}-linux-gnu.so"
    here = f"/stage/{source.name}"
    sources = sorted(f"src/{path.name}" for path in (source / "src").glob("lg*.c"))
    tools.run(["swig", "-python", "lgpio.i"], cwd=here)
    compiler = [f"{profile.machine}-linux-gnu-gcc", "-shared", "-fPIC", "-O2", "-pthread", "-s", "-Isrc"]
    compiler += [
        f"-I/usr/include/python{python}",
        "-o",
        library,
        *sources,
        "src/rgpiod.c",
        "lgpio_wrap.c",
        "-lrt",
        "-ldl",
    ]
    tools.run(compiler, cwd=here)
    for name in ("lgpio.py", "lgpio_extra.py", library):
        shutil.copyfile(source / name, site / name)
    described = site / f"{source.name}.dist-info"
    described.mkdir()
    shutil.copyfile(source / "PKG-INFO", described / "METADATA")
    shutil.rmtree(source)
