"""The narrow door to an approved platform (plateforme agréée), and the one that is a folder.

We know no platform's address and hold no key of one: `FolderPlatform` lays an invoice down with a
manifest, and the operator's own client (which the platform gives) takes both from there and lays
the platform's answers into another folder. So a receipt says "dropped", and never that anything
was sent.

The shapes are those of AFNOR XP Z12-013 (flow service 1.1), which is sold, not published; they were
read from public clients of that interface. Unverified therefore: which fields a platform insists
on, and the longest trackingId. Seen to differ between platforms: EN 16931 goes as "CIUS" (the word
"EN16931" is refused), and MINIMUM and BASIC WL have no word at all, so flowProfile is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from provision.errors import PaquetError
from provision.formats.books.plaintext import one_line
from provision.process.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

Profile: TypeAlias = Literal["Basic", "CIUS", "Extended-CTC-FR"]
Rule: TypeAlias = Literal["B2B", "B2BInt", "B2C", "OutOfScope", "ArchiveOnly", "NotApplicable"]
Acknowledged: TypeAlias = Literal["Pending", "Ok", "Error"]

SYNTAX = "Factur-X"
TRACKING_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
PDF = b"%PDF-"
MOST_INVOICE_BYTES = 20 << 20
MOST_ANSWER_BYTES = 256 << 10
MOST_ANSWERS = 10_000


class PlatformRefused(PaquetError):
    """An invoice that cannot go to the platform, or an answer that is none."""


@dataclass(frozen=True)
class Submission:
    """A Factur-X invoice on its way; `tracking_id` is ours, and finds its answers again."""

    tracking_id: str
    content: bytes
    profile: Profile | None
    rule: Rule = "B2B"


@dataclass(frozen=True)
class Acknowledgement:
    """What is known once `submit` returns: the invoice lies in the folder. Nobody has it yet."""

    tracking_id: str
    sha256: str
    state: Literal["dropped"] = "dropped"


@dataclass(frozen=True)
class Status:
    """What the platform answered about one flow.

    "Ok" says that the file passed the platform's technical checks, not that the buyer accepts it.
    """

    tracking_id: str
    flow_id: str
    state: Acknowledged
    reasons: tuple[str, ...]
    updated_at: datetime | None


class Platform(Protocol):
    """What we ask of any approved platform."""

    def submit(self, document: Submission) -> Acknowledgement:
        """Take an invoice, once per tracking id and content."""

    def statuses(self) -> tuple[Status, ...]:
        """Return what the platform answered so far."""


@dataclass(frozen=True)
class FolderPlatform:
    """A platform behind two folders: `outbox` is ours to fill, `inbox` its client's."""

    outbox: Path
    inbox: Path

    def submit(self, document: Submission) -> Acknowledgement:
        """Lay down `<tracking id>.pdf`, and then its manifest `<tracking id>.json`.

        Only what has a manifest is complete. Dropped again, the same is left as it is, and
        something else under the same tracking id is refused, as long as the client has not taken
        it away; after that the caller's own records say what was dropped.
        """
        _check(document)
        invoice = self.outbox / f"{document.tracking_id}.pdf"
        manifest = invoice.with_suffix(".json")
        told = manifest_of(document)
        try:
            if manifest.exists():
                _check_same(manifest, told)
            else:
                replace_file(invoice, document.content)
                replace_file(manifest, told)
        except OSError as wrong:
            raise PlatformRefused(
                f"The invoice {document.tracking_id} cannot be laid into {self.outbox}: {wrong}",
                "Make the folder, and let this user write into it.",
            ) from None
        return Acknowledgement(document.tracking_id, _sha256(document.content))

    def statuses(self) -> tuple[Status, ...]:
        """Return the answers in the inbox, by file name; one that is unreadable stops all."""
        try:
            answers = sorted(path for path in self.inbox.iterdir() if path.suffix == ".json")
        except OSError as wrong:
            raise PlatformRefused(f"The folder {self.inbox} cannot be read: {wrong}") from None
        if len(answers) > MOST_ANSWERS:
            raise PlatformRefused(
                f"{self.inbox} holds more than {MOST_ANSWERS} answers",
                "Move those that were read into another folder.",
            )
        return tuple(_read(path) for path in answers)


def manifest_of(document: Submission) -> bytes:
    """Return the flowInfo of an invoice as JSON: what the client posts along with the file."""
    info = {
        "trackingId": document.tracking_id,
        "name": f"{document.tracking_id}.pdf",
        "processingRule": document.rule,
        "flowSyntax": SYNTAX,
        "flowProfile": document.profile,
        "sha256": _sha256(document.content),
    }
    given = {name: value for name, value in info.items() if value is not None}
    return (json.dumps(given, indent=2, ensure_ascii=False) + "\n").encode()


def _check(document: Submission) -> None:
    if not TRACKING_ID.fullmatch(document.tracking_id):
        raise PlatformRefused(
            f"{one_line(document.tracking_id[:40])!r} cannot be a tracking id",
            "Use up to 100 letters, digits, and inner dots, hyphens or underscores.",
        )
    if not document.content.startswith(PDF):
        raise PlatformRefused(
            f"The invoice {document.tracking_id} is no PDF", "Factur-X is a PDF with XML inside."
        )
    if len(document.content) > MOST_INVOICE_BYTES:
        raise PlatformRefused(f"The invoice {document.tracking_id} is larger than 20 MiB")


def _check_same(manifest: Path, told: bytes) -> None:
    if manifest.read_bytes() != told:
        raise PlatformRefused(
            f"Another invoice waits as {manifest.name}",
            "Give a corrected invoice a number of its own.",
        )


class _Answer(BaseModel):
    """What we read of an answer; whatever else is in it is left alone."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class _Detail(_Answer):
    reason_code: str = Field(default="", max_length=100)
    reason_message: str = Field(default="", max_length=2000)


class _Acknowledgement(_Answer):
    status: Acknowledged
    details: tuple[_Detail, ...] = Field(default=(), max_length=1000)


class _Flow(_Answer):
    tracking_id: str = Field(pattern=rf"^{TRACKING_ID.pattern}$")
    flow_id: str = Field(min_length=1, max_length=200)
    acknowledgement: _Acknowledgement
    updated_at: datetime | None = None


def _read(path: Path) -> Status:
    """Return the answer in one file, which may hold anything."""
    try:
        flow = _Flow.model_validate_json(_bytes(path))
    except ValidationError as wrong:
        error = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in error["loc"]) or "the file"
        raise PlatformRefused(
            f"The answer {one_line(path.name)} is none: {where}: {one_line(error['msg'])}",
            "Ask the platform's client what it wrote there, or move the file away.",
        ) from None
    told = flow.acknowledgement
    reasons = (one_line(f"{detail.reason_code} {detail.reason_message}") for detail in told.details)
    return Status(
        flow.tracking_id, one_line(flow.flow_id), told.status, tuple(reasons), flow.updated_at
    )


def _bytes(path: Path) -> bytes:
    """Return a small plain file; a link could lead to any file that this user may read."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_ANSWER_BYTES:
            raise PlatformRefused(
                f"The answer {one_line(path.name)} is a link, no file, or larger than 256 KiB"
            )
        return path.read_bytes()
    except OSError as wrong:
        raise PlatformRefused(f"The answer {one_line(path.name)} cannot be read: {wrong}") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
