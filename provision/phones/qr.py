"""Codes that a camera reads: black on white, with their quiet zone, as SVG inside a page."""

from __future__ import annotations

from typing import Literal

import segno

# A dark page, a folded corner: ISO 18004 asks for four white modules around the code.
QUIET_ZONE = 4


def qr_svg(text: str, *, correction: Literal["l", "m"] = "m") -> str:
    """Return an `<svg>` without size (CSS gives it), drawn for `text`, which must be ASCII.

    ASCII only, because scanners guess the charset of anything else. Level M survives a fold;
    L keeps a long text (Thunderbird) large enough to be scanned.
    """
    text.encode("ascii")
    code = segno.make_qr(text, error=correction, boost_error=False)
    return code.svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
