from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.books import einvoicing
from provision.formats.books.einvoicing import Acknowledgement, FolderPlatform, Status, Submission
from provision.formats.books.einvoicing_calendar import calendar, of
from provision.process.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from provision.formats.books.einvoicing import Platform
    from provision.formats.books.einvoicing_calendar import Size

INVOICE = Submission("F2026-0001", b"%PDF-1.7 invoice", "CIUS")
FLOW: dict[str, Any] = {
    "flowId": "i_163272",
    "trackingId": "F2026-0001",
    "submittedAt": "2026-11-01T10:00:00Z",
    "updatedAt": "2026-11-01T10:00:05Z",
    "flowSyntax": "Factur-X",
    "flowDirection": "Out",
    "acknowledgement": {
        "status": "Error",
        "details": [
            {
                "level": "Error",
                "item": "BT-1",
                "reasonCode": "DUPLICATE",
                "reasonMessage": "Déjà\nreçue\u202e",
            }
        ],
    },
}


@pytest.fixture
def platform(tmp_path: Path) -> FolderPlatform:
    for name in ("out", "in"):
        (tmp_path / name).mkdir()
    return FolderPlatform(tmp_path / "out", tmp_path / "in")


def answer(platform: FolderPlatform, content: object, name: str = "1.json") -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (platform.inbox / name).write_text(text, encoding="utf-8")


def dropped(platform: FolderPlatform) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in platform.outbox.iterdir()}


def test_an_invoice_is_dropped_with_its_manifest_and_nothing_says_sent(
    platform: FolderPlatform,
) -> None:
    door: Platform = platform
    sha256 = hashlib.sha256(INVOICE.content).hexdigest()
    assert door.submit(INVOICE) == Acknowledgement("F2026-0001", sha256, "dropped")
    files = dropped(platform)
    assert files.keys() == {"F2026-0001.pdf", "F2026-0001.json"}
    assert files["F2026-0001.pdf"] == INVOICE.content
    assert json.loads(files["F2026-0001.json"]) == {
        "trackingId": "F2026-0001",
        "name": "F2026-0001.pdf",
        "processingRule": "B2B",
        "flowSyntax": "Factur-X",
        "flowProfile": "CIUS",
        "sha256": sha256,
    }
    assert {path.stat().st_mode & 0o777 for path in platform.outbox.iterdir()} == {0o600}
    assert platform.statuses() == ()


def test_a_profile_without_a_word_is_left_out() -> None:
    assert "flowProfile" not in json.loads(einvoicing.manifest_of(replace(INVOICE, profile=None)))


def test_the_same_invoice_again_changes_nothing(platform: FolderPlatform) -> None:
    first = platform.submit(INVOICE)
    before = {path: path.stat().st_mtime_ns for path in platform.outbox.iterdir()}
    assert platform.submit(INVOICE) == first
    assert {path: path.stat().st_mtime_ns for path in platform.outbox.iterdir()} == before


def test_another_invoice_under_the_same_tracking_id_is_refused(platform: FolderPlatform) -> None:
    platform.submit(INVOICE)
    before = dropped(platform)
    with pytest.raises(PaquetError, match="Another invoice waits"):
        platform.submit(replace(INVOICE, content=b"%PDF-1.7 other"))
    assert dropped(platform) == before


def test_an_invoice_without_its_manifest_is_completed(
    platform: FolderPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends between the two files leaves no submission; the next run makes it whole."""

    def fail_at_manifest(path: Path, content: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        replace_file(path, content)

    monkeypatch.setattr(einvoicing, "replace_file", fail_at_manifest)
    with pytest.raises(PaquetError, match="No space left on device"):
        platform.submit(INVOICE)
    assert dropped(platform).keys() == {"F2026-0001.pdf"}
    monkeypatch.undo()
    platform.submit(INVOICE)
    assert dropped(platform).keys() == {"F2026-0001.pdf", "F2026-0001.json"}


@pytest.mark.parametrize(
    "tracking_id",
    ["", "../x", "a/b", ".", "..", ".hidden", "a\n", "a b", "é", "a" * 101, "x.", "a\0b", "-rf"],
)
def test_a_tracking_id_that_is_no_file_name_is_refused(
    platform: FolderPlatform, tracking_id: str
) -> None:
    with pytest.raises(PaquetError, match="cannot be a tracking id"):
        platform.submit(replace(INVOICE, tracking_id=tracking_id))
    assert dropped(platform) == {}


def test_only_a_pdf_of_sensible_size_is_dropped(
    platform: FolderPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PaquetError, match="is no PDF"):
        platform.submit(replace(INVOICE, content=b"<xml/>"))
    monkeypatch.setattr(einvoicing, "MOST_INVOICE_BYTES", 10)
    with pytest.raises(PaquetError, match="larger than 20 MiB"):
        platform.submit(INVOICE)
    assert dropped(platform) == {}


def test_folders_that_are_not_there_are_told_in_a_sentence(tmp_path: Path) -> None:
    absent = FolderPlatform(tmp_path / "out", tmp_path / "in")
    with pytest.raises(PaquetError, match="cannot be laid into") as refused:
        absent.submit(INVOICE)
    assert refused.value.hint
    with pytest.raises(PaquetError, match="cannot be read"):
        absent.statuses()


def test_an_answer_is_read_with_its_reasons_on_one_line(platform: FolderPlatform) -> None:
    answer(platform, FLOW)
    answer(platform, "not for us", "note.txt")
    assert platform.statuses() == (
        Status(
            "F2026-0001",
            "i_163272",
            "Error",
            ("DUPLICATE Déjà reçue",),
            datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC),
        ),
    )


def test_answers_come_in_the_order_of_their_names(platform: FolderPlatform) -> None:
    for name, state in (("2.json", "Ok"), ("1.json", "Pending")):
        answer(platform, {**FLOW, "acknowledgement": {"status": state}}, name)
    assert [one.state for one in platform.statuses()] == ["Pending", "Ok"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        {},
        {**FLOW, "trackingId": "../../etc/passwd"},
        {**FLOW, "trackingId": "a\n"},
        {**FLOW, "trackingId": 7},
        {**FLOW, "flowId": ""},
        {**FLOW, "acknowledgement": {"status": "Accepted"}},
        {**FLOW, "acknowledgement": None},
        {**FLOW, "updatedAt": "yesterday"},
        {**FLOW, "padding": "x" * (300 << 10)},
    ],
)
def test_an_answer_that_is_none_is_refused_with_its_name(
    platform: FolderPlatform, content: object
) -> None:
    answer(platform, FLOW)
    answer(platform, content, "bad.json")
    with pytest.raises(PaquetError, match=r"answer bad\.json is"):
        platform.statuses()


def test_an_answer_is_neither_a_link_nor_a_folder(platform: FolderPlatform, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(json.dumps(FLOW))
    (platform.inbox / "link.json").symlink_to(tmp_path / "secret")
    with pytest.raises(PaquetError, match=r"answer link\.json is a link"):
        platform.statuses()
    (platform.inbox / "link.json").unlink()
    (platform.inbox / "folder.json").mkdir()
    with pytest.raises(PaquetError, match=r"answer folder\.json is a link, no file"):
        platform.statuses()


def test_a_flood_of_answers_is_refused(
    platform: FolderPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(einvoicing, "MOST_ANSWERS", 1)
    answer(platform, FLOW)
    answer(platform, FLOW, "2.json")
    with pytest.raises(PaquetError, match="more than 1 answers"):
        platform.statuses()


@given(content=st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("in")
    (folder / "x.json").write_bytes(content)
    with pytest.raises(PaquetError, match=r"answer x\.json is none"):
        FolderPlatform(folder, folder).statuses()


@pytest.mark.parametrize(
    ("size", "day", "expected"),
    [
        ("micro", date(2026, 8, 31), set()),
        ("large", date(2026, 8, 31), set()),
        ("micro", date(2026, 9, 1), {"receive"}),
        ("small or medium", date(2027, 8, 31), {"receive"}),
        ("small or medium", date(2027, 9, 1), {"receive", "emit", "report"}),
        ("micro", date(2027, 9, 1), {"receive", "emit", "report"}),
        ("intermediate", date(2026, 9, 1), {"receive", "emit", "report"}),
        ("large", date(2026, 9, 1), {"receive", "emit", "report"}),
    ],
)
def test_each_size_has_its_duties_from_its_day_on(
    size: Size, day: date, expected: set[str]
) -> None:
    found = [one for one in of(size) if one.rules_on(day)]
    assert {one.duty for one in found} == expected
    assert len(found) == len(expected)


def test_every_duty_has_a_source_and_may_be_delayed_three_months() -> None:
    for one in calendar():
        assert one.source
        assert (one.latest.year, one.latest.month - one.valid_from.month) == (
            one.valid_from.year,
            3,
        )
