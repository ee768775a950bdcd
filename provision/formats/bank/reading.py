"""The one way in: the content of a file, whatever the bank calls it, becomes checked statements."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.bank import camt, cfonb, ofx, swift, table
from provision.formats.bank.fields import shown
from provision.formats.bank.statements import StatementRefused, sealed

if TYPE_CHECKING:
    from provision.formats.bank.mappings import CsvMapping
    from provision.formats.bank.statements import Statement

MOST_BYTES = 32 * 1024 * 1024
HEAD = 4096  # what tells a format is at the beginning
OFX = re.compile(rb"OFXHEADER\s*[:=]|<OFX>")
XML = re.compile(rb"\s*<[?!A-Za-z]")
MT940 = re.compile(rb"^:20:.*?^:(?:25P?|28C?|60[FM]):", re.MULTILINE | re.DOTALL)
CFONB = re.compile(rb"\s*01[0-9 ]{9}[0-9]{5}(?:[A-Z]{3}[0-9]|    )")


def read(content: bytes, name: str, mapping: CsvMapping | None = None) -> tuple[Statement, ...]:
    """Return the statements that the file `name` holds, each checked (`statements.sealed`).

    The format is told by the content, never by the name; a CSV needs its `mapping`. Raises
    StatementRefused, with the name of the file, for anything that is not wholly right.
    """
    try:
        _check_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        statements = tuple(sealed(statement, digest) for statement in _parsed(content, mapping))
    except PaquetError as refused:
        raise StatementRefused(f"{shown(name)}: {refused.message}", refused.hint) from None
    return statements


def _check_bytes(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise StatementRefused(
            f"The file has more than {MOST_BYTES // 1024**2} MiB", "Export a shorter period."
        )
    if content.startswith(b"PK\x03\x04"):
        raise StatementRefused("The file is an archive or a spreadsheet", "Unpack it first.")
    if b"\0" in content:
        raise StatementRefused("The file holds NUL bytes, so it is not plain text")
    if not content.strip():
        raise StatementRefused("The file is empty")


def _parsed(content: bytes, mapping: CsvMapping | None) -> tuple[Statement, ...]:
    plain = content.removeprefix(b"\xef\xbb\xbf")
    head = plain[:HEAD]
    if OFX.search(head):
        return ofx.read(plain)
    if XML.match(head):
        return camt.read(plain)
    if MT940.search(head):
        return swift.read(_text(plain))
    if CFONB.match(head):
        return cfonb.read(_text(plain))
    if mapping is not None:
        return table.read(content, mapping)
    raise StatementRefused(
        "The file is neither camt.053, OFX, MT940 nor CFONB 120",
        "For a CSV, write a mapping file: see templates/bank-csv.example.toml.",
    )


def _text(content: bytes) -> str:
    """Return the text of a format that names no encoding: UTF-8, else that of old French banks."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StatementRefused("The file is written neither in UTF-8 nor in Windows-1252")
