"""XML of strangers, read without entities, without the network, by local names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from provision.formats.bank import fields
from provision.formats.bank.statements import StatementRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

Element: TypeAlias = Any  # lxml ships no types
DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
LONGEST_REASON = 120
ENCODINGS = {"UTF-8", "US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252"}


def refuse_declarations(content: bytes) -> None:
    """Refuse what declares a document type or an entity: no bank does, an attacker would."""
    if DECLARATION.search(content):
        raise StatementRefused("The file declares a document type, which no bank statement does")


def parse(content: bytes) -> Element:
    """Return the root of the XML document, or raise StatementRefused."""
    refuse_declarations(content)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as wrong:
        why = fields.text(str(wrong))[:LONGEST_REASON] or "it ends too early"
        raise StatementRefused(
            f"The file is not whole XML: {why}", "Download it from the bank once more."
        ) from None
    encoding = (root.getroottree().docinfo.encoding or "UTF-8").upper()
    if root.getroottree().docinfo.doctype or encoding not in ENCODINGS:
        raise StatementRefused(f"The file is written in {encoding}", "Ask the bank for UTF-8.")
    return root


def children(element: Element | None, wanted: str) -> Iterator[Element]:
    """Return the direct children of this name in any namespace; none where there is no element."""
    return iter(()) if element is None else element.iterchildren(f"{{*}}{wanted}")


def child(element: Element | None, *path: str) -> Element | None:
    """Follow the first child of each name; None where the path ends early."""
    for wanted in path:
        element = next(children(element, wanted), None)
    return element


def only(element: Element, wanted: str) -> Element | None:
    """Return the one child of this name, None without any; two would be two truths."""
    namesakes = list(children(element, wanted))
    if len(namesakes) > 1:
        raise StatementRefused(f"The XML file says {wanted} twice where one is allowed")
    return namesakes[0] if namesakes else None


def value(element: Element | None, *path: str) -> str:
    """Return the text at the end of the path, '' where there is none."""
    leaf = child(element, *path)
    return "" if leaf is None else (leaf.text or "").strip()


def first(element: Element | None, *paths: str) -> str:
    """Return the first text that is there, of paths such as 'Dbtr/Pty/Nm'."""
    return next((text for path in paths if (text := value(element, *path.split("/")))), "")
