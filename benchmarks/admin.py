"""What the admin's pages cost an operator of a large service: queries and time, of every list, filter, search and page.

    python -m benchmarks.admin [--readers 1000000] [--digests 20000000] [--database URL]

The database is a PostgreSQL of its own, filled within itself: readers, their digests of the last editions, and what
goes with them. One that is there already, named by its URL, is filled where rows are missing, and kept. The table
stands in docs/operating.md.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.delivery_servers import postgres

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--digests", type=int, default=20_000_000)
    parser.add_argument("--database")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        settings = {
            "DEMO": "1",
            "VAR_DIR": stack.enter_context(tempfile.TemporaryDirectory()),
            "DATABASE_URL": options.database or stack.enter_context(postgres()),
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
        }
        for part in ("fill", "look"):
            command = [sys.executable, "-m", f"benchmarks.admin_{part}", str(options.readers), str(options.digests)]
            subprocess.run(command, env=os.environ | settings, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
