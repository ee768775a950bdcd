"""Run the long tests part by part, and tell all results of this commit in one summary.

`python -m tests.long` runs the parts that have no good result at this commit yet; `--part NAME`
only those named; `--summary` none. Results lie in var/test-long/COMMIT, so that a run may be
spread over sittings. With changes that are not committed nothing is kept for later.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from provision.process import commands
from tests.long import summary
from tests.long.parts import PARTS

if TYPE_CHECKING:
    from tests.long.parts import Part

RESULTS = Path("var/test-long")
PART_SECONDS = 3600
RAN_WHOLE = (0, 1)  # of pytest's exit codes: all passed, or what failed is in the result
SEED = "PAQUET_TEST_SEED"


def main() -> int:
    """Return 0 when every part that was asked for has a result and none failed."""
    arguments = parse_arguments()
    commit = git("rev-parse", "--short=12", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    folder = RESULTS / (f"{commit}-changed" if changed else commit)
    if changed and not arguments.summary:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS if not arguments.summary else ():
        if part.name in arguments.part or not (arguments.part or summary.is_good(folder, part)):
            run(part, folder, arguments.seed or str(int(commit[:5], 16)))
    text = summary.tell(folder, commit)
    (folder / "summary.txt").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    asked = [part for part in PARTS if part.name in (arguments.part or names())]
    return 0 if all(summary.is_good(folder, part) for part in asked) else 1


def names() -> list[str]:
    """Return the names of all parts."""
    return [part.name for part in PARTS]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.long", description=__doc__)
    parser.add_argument("--part", action="append", choices=names(), default=[], metavar="NAME")
    parser.add_argument("--seed", default="", help="else the commit decides")
    parser.add_argument("--summary", action="store_true", help="only tell what was seen")
    return parser.parse_args()


def git(*words: str) -> str:
    """Ask git."""
    return commands.run(["git", *words]).stdout.strip()


def run(part: Part, folder: Path, seed: str) -> None:
    """Run one part; its result is a file of the folder, absent when it did not run to its end."""
    sys.stdout.write(f"\n== {part.name}: {part.about}\n")
    sys.stdout.flush()
    kept = summary.result(folder, part)
    kept.unlink(missing_ok=True)
    beside = kept.with_suffix(".new")
    words = [sys.executable, "-m", "pytest", "-v", "-m", "not network"]
    words += ["-o", "junit_family=xunit1", f"--junitxml={beside}"]  # the one that may hold lines
    environment = {**os.environ, SEED: seed, **dict(part.environment)}
    try:
        command = [*words, *part.words]
        ended = subprocess.run(command, check=False, timeout=PART_SECONDS, env=environment)
        if ended.returncode in RAN_WHOLE:
            beside.replace(kept)
        else:
            sys.stdout.write(f"{part.name} was interrupted (exit code {ended.returncode})\n")
    except subprocess.TimeoutExpired:
        sys.stdout.write(f"{part.name} was cut off after an hour\n")


if __name__ == "__main__":
    sys.exit(main())
