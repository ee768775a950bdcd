"""The register of processing says who, why, how long and how safe, as a page, a text and paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pytest

from provision import database
from provision.errors import UsageRefused
from provision.subscriptions.parties import organisations
from provision.subscriptions.privacy import register, retention
from tests.integration.subscriptions.privacy_shop import DOMAIN, EMAIL, NAME, TODAY, build, copied

if TYPE_CHECKING:
    from provision.subscriptions.privacy.register import Book

GOLDEN = Path(__file__).parents[2] / "golden/money/privacy/register.txt"
ASKED = ("Finalités", "Base légale", "Personnes", "Données", "Destinataires", "Durée")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    built = tmp_path_factory.mktemp("built")
    build(built)
    world = copied(built, tmp_path_factory.mktemp("register"))
    with database.transaction(world.engine) as session:
        told = register.book(session, world.control.settings.operator, TODAY)
    world.engine.dispose()
    return told


def test_the_text_is_as_it_was_read_by_a_person(book: Book) -> None:
    assert register.document(book, ".txt").decode() == GOLDEN.read_text(encoding="utf-8")


def test_each_processing_says_what_article_30_asks(book: Book) -> None:
    told = register.document(book, ".txt").decode()
    parts = re.split(r"^\d+\. ", told.partition("DURÉES DE CONSERVATION")[0], flags=re.MULTILINE)
    assert len(parts) == 1 + len(book.processings) == 9
    for part in parts[1:]:
        assert all(f"   {word}" in part for word in ASKED)
        assert "Hors de l’Union" in part


def test_durations_are_those_that_the_purge_carries_out(book: Book) -> None:
    told = register.document(book, ".txt").decode()
    for rule in retention.rules():
        assert told.count(rule.fr) >= 2
        assert rule.source in told


def test_who_is_responsible_comes_from_the_profiles(book: Book) -> None:
    told = register.document(book, ".txt").decode()
    assert "Boutique Libre (entreprise, SIREN 732829320)" in told
    assert "Les Amis du Libre (association)" in told
    assert "1 place du Marché, 14000 Caen" in told
    assert "bundles1" in told
    assert "backup1" in told


def test_the_register_names_no_subscriber(book: Book) -> None:
    for ending in (".txt", ".html"):
        told = register.document(book, ending).decode()
        assert not any(word in told for word in (NAME, EMAIL, DOMAIN, "Paul"))


def test_the_page_escapes_what_people_wrote(book: Book) -> None:
    name = book.operator.model_copy(update={"name": "<script>alert(1)</script>"})
    told = register.document(register.Book(**{**vars(book), "operator": name}), ".html").decode()
    assert "<script>" not in told
    assert "&lt;script&gt;" in told


def test_the_paper_holds_the_words_of_the_text(book: Book) -> None:
    paper = pypdfium2.PdfDocument(register.document(book, ".pdf"))
    pages = [page.get_textpage().get_text_range() for page in paper]
    paper.close()
    whole = " ".join(" ".join(pages).split())
    assert 2 <= len(pages) <= 8
    for one in book.processings:
        assert one.title in whole
    assert f"page {len(pages)} / {len(pages)}" in whole


def test_an_organisation_without_profile_leaves_a_line_to_complete(tmp_path: Path) -> None:
    build(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    world = copied(tmp_path, inner)
    with database.transaction(world.engine) as session:
        organisations.add(session, "Nouvelle", "association")
        told = register.book(session, world.control.settings.operator, TODAY)
    world.engine.dispose()
    assert "Adresse et contact : à compléter" in register.document(told, ".txt").decode()
    assert b'class="open"' in register.document(told, ".html")


def test_another_ending_is_refused(book: Book) -> None:
    with pytest.raises(UsageRefused, match=r"cannot be written as '\.docx'"):
        register.document(book, ".docx")
