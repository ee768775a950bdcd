"""A creditor's logo, checked before it stands on paper: a PNG, or an SVG of nothing but shapes."""

from __future__ import annotations

import base64
import re
import struct

from lxml import etree

from provision.errors import UsageRefused

MOST_BYTES = 256 * 1024
MOST_PIXELS = 2_000  # a side; more is a photograph, or a bomb
PNG = b"\x89PNG\r\n\x1a\n"
PNG_SIZE = struct.Struct(">8x4x4sII")  # signature, length, IHDR, width, height
# What makes an SVG reach outside itself, act, or multiply: only `#…` of its own is let through.
REFUSED = frozenset({"script", "foreignObject", "image", "use"})
OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|javascript:", re.IGNORECASE)


def data_address(logo: bytes) -> str:
    """Return the logo as a `data:` address for a page, or raise UsageRefused."""
    if len(logo) > MOST_BYTES:
        raise UsageRefused(f"The logo is larger than {MOST_BYTES // 1024} KiB", "Make it smaller.")
    if logo.startswith(PNG):
        _check_png(logo)
        kind = "image/png"
    else:
        _check_svg(logo)
        kind = "image/svg+xml"
    return f"data:{kind};base64,{base64.b64encode(logo).decode()}"


def _check_png(logo: bytes) -> None:
    if len(logo) < PNG_SIZE.size:
        raise UsageRefused("The logo is no whole PNG", "Export it again.")
    name, width, height = PNG_SIZE.unpack_from(logo)
    if name != b"IHDR" or not 0 < width <= MOST_PIXELS or not 0 < height <= MOST_PIXELS:
        raise UsageRefused(
            f"The logo is no PNG of at most {MOST_PIXELS} pixels a side", "Make it smaller."
        )


def _check_svg(logo: bytes) -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(logo, parser)
    except etree.XMLSyntaxError:
        raise UsageRefused("The logo is neither a PNG nor an SVG", "Use one of these.") from None
    if etree.QName(root).localname != "svg" or root.getroottree().docinfo.doctype:
        raise UsageRefused("The logo is no plain SVG", "Save it as plain SVG, without DOCTYPE.")
    if any(_is_more_than_shape(element) for element in root.iter()):
        raise UsageRefused(
            "The logo holds more than shapes", "Save it as plain SVG, without links and pictures."
        )


def _is_more_than_shape(element: etree._Element) -> bool:
    if not isinstance(element.tag, str):  # a comment does nothing, an instruction may
        return element.tag is etree.ProcessingInstruction
    words = [element.text or "", *element.attrib.values()]
    links = [
        value for name, value in element.attrib.items() if etree.QName(name).localname == "href"
    ]
    return (
        etree.QName(element).localname in REFUSED
        or any(OUTSIDE.search(word) for word in words)
        or any(not link.startswith("#") for link in links)
    )
