"""The programs that judge our mails, where they are installed."""

import shutil
from pathlib import Path

CANIEMAIL = Path(__file__).parent / "caniemail"
HOW_TO_INSTALL = {
    "caniemail": "it is not installed (with Node and npm: npm ci --prefix tests/caniemail)",
    "SpamAssassin": "it is not installed (Debian, Ubuntu: apt install spamassassin)",
}


def missing_judges() -> dict[str, str]:
    """Those that are not here, and how to get them."""
    here = {
        "caniemail": bool(shutil.which("node")) and (CANIEMAIL / "node_modules").exists(),
        "SpamAssassin": bool(shutil.which("spamassassin")),
    }
    return {name: how for name, how in HOW_TO_INSTALL.items() if not here[name]}
