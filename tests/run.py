"""Runs the suite on each database that this machine has, with a real Redis: `make test`.

    python -m tests.run [--slow | --kill] [what pytest understands]

The second database runs those tests alone that say something of one. `--slow` runs, instead of all others, the tests
that drive a browser, kill whole services, flood the sign-up or search for a counterexample, and searches long; `--kill`
runs the kill suite in its long form (docs/reliability.md). The last line is pytest's own; the exit code says whether
every run passed. However it ends, but by SIGKILL, it takes along all that was started.
"""

import contextlib
import os
import signal
import subprocess
import sys

from tests.judges import missing_judges
from tests.servers import heed_one_signal, nothing_left, postgres_programs, postgres_server, redis_server

# The slow tests time real programs: they get the machine for themselves.
QUICK, SLOW = ["-n", "2"], ["-m", "browser or kill or heavy or hypothesis"]
# Another -k replaces this one; beside the scenarios there are imports that are killed.
KILL = ["-m", "kill", "tests/kill", "-k", "test_k"]
# By the word that asks for them: their title, what pytest is told, and their environment.
KINDS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "": ("Tests", QUICK, {}),
    "--slow": ("Slow tests", SLOW, {"EXAMPLES": "100"}),
    "--kill": ("The kill suite", KILL, {"KILL_SIZE": "long"}),
}
OF_DATABASE = "--of-database"
# For the quick tests: a claim forbids PostgreSQL to sort for the rest of its transaction (`ledger.sort_nothing`), which
# there is all of the test. Whatever is in order afterwards then seems so dear that it would be compiled first.
UNCOMPILED = "jit=off"
PATIENCE = 8  # seconds for pytest to end what its tests started: whoever asks may kill after ten, as `docker stop` does


def main(words: list[str]) -> int:
    """Run everything; 0 when all passed."""
    kind = next((word for word in words if word in KINDS), "")
    title, options, given = KINDS[kind]
    options = [*options, *(word for word in words if word != kind)]
    with nothing_left(), contextlib.ExitStack() as servers:
        redis_url = servers.enter_context(redis_server())
        databases = {"SQLite": {}}
        if postgres_programs():
            postgres_url = servers.enter_context(postgres_server(*[] if kind else [UNCOMPILED]))
            databases["PostgreSQL"] = {"TEST_DATABASE_URL": postgres_url}
        else:
            say("PostgreSQL is left out: its server is not installed (Debian, Ubuntu: apt install postgresql).")
        for judge, how in missing_judges().items():
            say(f"{judge} is left out: {how}.")
        failed = 0
        for name, environment in databases.items():
            say(f"=== {title} on {name} ===")
            failed |= pytest(options, {**given, "TEST_REDIS_URL": redis_url, **environment})
            if not kind:  # what needs no database has said what it has to say
                options = [*options, OF_DATABASE]
        return failed


def pytest(options: list[str], environment: dict[str, str]) -> int:
    """One run of pytest; its exit code."""
    # Where byte code may not be kept, each of the Pythons that the tests start would compile all of Django anew.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    run = subprocess.Popen([sys.executable, "-m", "pytest", *options], env=environment)
    try:
        while run.returncode is None:
            pid, status = os.waitpid(-1, 0)  # what has lost its parent comes to us, hundreds in a long run
            if pid == run.pid:
                run.returncode = os.waitstatus_to_exitcode(status)
        return run.returncode
    except KeyboardInterrupt:
        run.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(PATIENCE)
        raise


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    heed_one_signal()
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
