"""What a subscriber takes away: every file, and a manifest that proves none is missing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "MANIFEST.json"


def write_manifest(folder: Path) -> dict[str, object]:
    """Write `MANIFEST.json` (path → SHA-256) into `folder` and return its totals."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    digests = {str(path.relative_to(folder)): _digest(path) for path in files}
    size = sum(path.stat().st_size for path in files)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(digests, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return {"folder": str(folder), "files": len(files), "bytes": size, "manifest": str(manifest)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
