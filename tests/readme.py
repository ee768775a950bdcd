"""The commands of the README, as it shows them, typed by somebody at a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.fr.md")
SECONDS = 240


def commands(page: str) -> list[str]:
    """Return the commands of the code blocks of `page`, in order, each as it stands."""
    tokens = MarkdownIt().parse((ROOT / page).read_text("utf-8"))
    blocks = [token.content for token in tokens if token.type in ("code_block", "fence")]
    lines = re.sub(r"\\\n\s*", "", "".join(blocks)).splitlines()
    return [line.strip() for line in lines if line.strip()]


def in_sentences(page: str) -> list[str]:
    """Return the commands that the sentences of `page` name."""
    tokens = MarkdownIt().parse((ROOT / page).read_text("utf-8"))
    inline = [child for token in tokens for child in token.children or []]
    words = [child.content for child in inline if child.type == "code_inline"]
    return [word for word in words if word.startswith(("paquet ", "make "))]


def type_in(
    command: str, folder: Path, answers: Iterable[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a line by bash in `folder`, at a terminal where `answers` are typed, a line each."""
    keyboard, terminal = pty.openpty()
    found = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    try:
        os.write(keyboard, "".join(f"{answer}\n" for answer in answers).encode())
        return subprocess.run(
            ["/bin/bash", "-euc", command],
            cwd=folder,
            env=_environment(found | environment),
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)


def _environment(found: Mapping[str, str]) -> dict[str, str]:
    return {"LANG": "C.UTF-8", "TERM": "dumb", **found}
