"""Takes the pictures of README and the manual anew: all of them, or those that are named.

    python -m tests.pictures [--into FOLDER] [NAME …]

A demo is filled with a made-up day (tests/pictured.py), whose clock stands still, and Chromium looks at it: the same
code gives the same pictures, where the same fonts are. pngquant, where it is installed (Debian, Ubuntu: apt install
pngquant), makes them a third of the size.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers import redis_server

ROOT = Path(__file__).resolve().parents[1]
COLOURS = "64"  # of a picture at most: text with its smooth edges looks the same


@dataclass(frozen=True)
class Screen:
    """What a page is looked at with; in CSS pixels, `scale` of the picture's to each."""

    width: int
    height: int
    scale: float = 1
    scheme: str = "light"


PICTURES = {
    "site": Screen(1280, 1120),
    "site-phone": Screen(375, 812, scale=2),
    "digest": Screen(700, 700),
    "operating-today": Screen(1280, 1000),
    "operating-today-phone": Screen(375, 812, scale=1.5, scheme="dark"),
    "operating-edition": Screen(1280, 1000),
    "operating-topic": Screen(1280, 1000),
    "operating-merge": Screen(1280, 900),
    "operating-back-fill": Screen(1280, 620),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "docs", metavar="FOLDER", help="docs, where none is named")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PICTURES):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    names = options.names or list(PICTURES)
    with contextlib.ExitStack() as stack:
        settings = {
            "DJANGO_SETTINGS_MODULE": "newsletter.settings",
            "DEMO": "1",
            "VAR_DIR": stack.enter_context(tempfile.TemporaryDirectory()),
            "REDIS_URL": stack.enter_context(redis_server()),
            "LOG_LEVEL": "ERROR",
            "PYTHONWARNINGS": "ignore:No directory at",  # static files come from their sources here
        }
        command = [sys.executable, "-m", "tests.pictured", str(options.into.resolve()), *names]
        subprocess.run(command, env=os.environ | settings, cwd=ROOT, check=True)
    files = [options.into / f"{name}.png" for name in names]
    if quantizer := shutil.which("pngquant"):
        subprocess.run([quantizer, "--force", "--strip", "--nofs", "--ext", ".png", COLOURS, *files], check=True)
    for file in files:
        print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
