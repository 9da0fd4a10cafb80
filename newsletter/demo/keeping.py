"""What the embedded parts keep in their folder."""

import contextlib
import os
import secrets
import tempfile
from hashlib import sha256
from pathlib import Path


def kept_secret(folder: Path, name: str, size: int = 50) -> str:
    """The demo's own secret of `size` random bytes: made once and kept, readable by its owner only."""
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=folder)  # mode 600
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(size))
        # A link appears whole, and never over a secret that another process has just made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text(encoding="utf-8")


def socket_dir(folder: Path) -> Path:
    """A short directory for Unix sockets, whose paths end at about 107 bytes (unix(7), sun_path)."""
    if len(str(folder)) < 80:
        return folder
    return Path(tempfile.gettempdir()) / f"trending-papers-{sha256(str(folder).encode()).hexdigest()[:12]}"
