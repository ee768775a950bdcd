"""What makes matplotlib's figures fit for a page: fixed settings, and SVG that a page can hold."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from lxml import etree
from matplotlib import rc_context, rcdefaults, rcParams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

INK = "#010203"  # stands for the colour of the page's text, be it dark on light or light on dark
# Okabe and Ito, "Color universal design" (2008), without its black and its faint yellow; each
# colour has its own hatch, so that nobody needs to see colours. Lines only: dots are a megabyte.
STYLES = (
    ("#0072b2", ""),
    ("#e69f00", "///"),
    ("#009e73", "---"),
    ("#cc79a7", "xxx"),
    ("#56b4e9", "\\\\\\"),
    ("#d55e00", "+++"),
)
SETTINGS: dict[RcKeyType, Any] = {
    # Text stays text: the reader's font, size and search work, and no font is inside the page.
    "svg.fonttype": "none",
    # Else ids are random, and no two pages alike.
    "svg.hashsalt": "paquet",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12,
    "hatch.linewidth": 0.7,
}
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
UNREADABLE = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, `Char`
SETTINGS_ARE_GLOBAL = Lock()  # of matplotlib: two threads would take them from each other


@dataclass
class Picture:
    """What a screen reader says of a picture, and the texts that are put into it.

    A text never goes through matplotlib, which would read `$…$` as mathematics and warn of letters
    that its own font lacks: it draws a mark, and the mark is replaced at the end.
    """

    name: str
    title: str
    description: str
    texts: list[str] = field(default_factory=list)

    def put(self, text: str) -> str:
        """Return the mark that stands for this text."""
        self.texts.append(UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text))
        return f"@{len(self.texts) - 1}@"


@contextmanager
def settings() -> Iterator[None]:
    """Draw with our settings, whatever the user of this machine has set for matplotlib."""
    with SETTINGS_ARE_GLOBAL, rc_context():
        rcdefaults()
        rcParams.update(SETTINGS)
        yield


def svg(figure: Figure, picture: Picture) -> str:
    """Return a figure that was drawn with `settings` as one `<svg>` for the inside of a page.

    Its ids begin with the picture's name, it has no size of its own, and it takes the page's ink.
    """
    written = io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
    root = etree.fromstring(written.getvalue(), parser)
    _take_away(root)
    _fit_into_page(root, picture.name)
    for text in root.iter(f"{SVG}text"):
        text.text = re.sub(r"@(\d+)@", lambda mark: picture.texts[int(mark[1])], text.text or "")
    _tell(root, picture)
    etree.cleanup_namespaces(root)
    whole: str = etree.tostring(root, encoding="unicode")
    return whole.replace("><", ">\n<")  # so that a person can read what changed in it


def _take_away(root: etree._Element) -> None:
    """Remove what a page has no use for: licence, a style for everything, size and fonts."""
    for element in [*root.iter(f"{SVG}metadata"), *root.iter(f"{SVG}style")]:
        element.getparent().remove(element)
    for name in ("width", "height", "version"):
        del root.attrib[name]
    for text in root.iter(f"{SVG}text"):
        text.set("style", re.sub(r"font-family: [^;]*;? ?", "", text.get("style", "")))


def _fit_into_page(root: etree._Element, name: str) -> None:
    """Take the page's ink, and keep only the ids that are referred to, under our name and a number.

    Those of matplotlib are made of what each Python writes in its own way.
    """
    refers = re.compile(r"(?<=url\(#)[^)]+")
    whole = etree.tostring(root, encoding="unicode")
    used = dict.fromkeys(re.findall(r'(?:url\(|href=")#([^)"]+)', whole))
    names = {known: f"{name}-{number}" for number, known in enumerate(used, start=1)}
    for use in root.iter(f"{SVG}use"):
        use.set("href", f"#{names[use.attrib.pop(f'{XLINK}href')[1:]]}")
    for element in root.iter():
        for key, value in element.attrib.items():
            known = refers.sub(lambda mark: names[mark[0]], value)
            element.set(key, known.replace(INK, "currentColor"))
        identifier = element.attrib.pop("id", None)
        if identifier in names:
            element.set("id", names[identifier])


def _tell(root: etree._Element, picture: Picture) -> None:
    root.set("role", "img")
    root.set("aria-labelledby", f"{picture.name}-title {picture.name}-desc")
    for place, (tag, text) in enumerate((("title", picture.title), ("desc", picture.description))):
        element = etree.Element(f"{SVG}{tag}", id=f"{picture.name}-{tag}")
        element.text = text
        root.insert(place, element)
