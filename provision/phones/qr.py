"""Codes that a camera reads: black on white, with their quiet zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import segno

# A dark page, a folded corner: ISO 18004 asks for four white modules around the code.
QUIET_ZONE = 4
# Fine enough to stay sharp on a screen that smooths images; still under a kilobyte.
PIXELS_PER_MODULE = 4


@dataclass(frozen=True)
class Code:
    """One code, drawn twice from the same modules: `svg` for a page, `image` for paper."""

    svg: str
    image: str


def qr_code(text: str, *, correction: Literal["l", "m"] = "m") -> Code:
    """Return the code of `text`, which must be ASCII: scanners guess any other charset.

    `svg` is an element without size (CSS gives it). `image` is a `data:` URI of a PNG: WeasyPrint
    needs twenty times longer to draw the paths of the SVG. Level M survives a fold; L keeps the
    modules of a long text (Thunderbird's) large.
    """
    text.encode("ascii")
    code = segno.make_qr(text, error=correction, boost_error=False)
    svg = code.svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    image = code.png_data_uri(scale=PIXELS_PER_MODULE, border=QUIET_ZONE, dark="#000", light="#fff")
    return Code(svg, image)
