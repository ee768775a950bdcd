from __future__ import annotations

import base64
import io
import re

import pytest
import segno
import zxingcpp
from lxml import etree
from PIL import Image, ImageDraw

from provision.phones.qr import PIXELS_PER_MODULE, qr_code

TEXT = "davx5://alice%40exemple.test:abcd2345efgh6789jkmn2345pqrs@cloud.exemple.test/dav/"


def decode(image: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(image)
    return str(found.text)


def draw(svg: str, scale: int = 6) -> Image.Image:
    """Draw the rows of a segno SVG: moves, horizontal lines, nothing else."""
    root = etree.fromstring(svg.encode())
    _, _, width, height = (int(float(number)) for number in root.get("viewBox", "").split())
    image = Image.new("L", (width * scale, height * scale), 128)
    pen = ImageDraw.Draw(image)
    for path in root.iter("{*}path"):
        if path.get("fill"):
            pen.rectangle((0, 0, width * scale, height * scale), fill=255)
            continue
        x = y = 0.0
        for letter, numbers in re.findall(r"([Mmh])([^Mmh]*)", path.get("d", "")):
            values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
            if letter == "h":
                top = (y - 0.5) * scale
                pen.rectangle(
                    (x * scale, top, (x + values[0]) * scale - 1, top + scale - 1), fill=0
                )
                x += values[0]
            elif letter == "M":
                x, y = values
            else:
                x, y = x + values[0], y + values[1]
    return image


def test_the_code_on_the_page_is_read_back() -> None:
    assert decode(draw(qr_code(TEXT).svg)) == TEXT


def test_the_code_on_paper_is_read_back_and_is_the_same_code() -> None:
    code = qr_code(TEXT)
    png = base64.b64decode(code.image.removeprefix("data:image/png;base64,"))
    image = Image.open(io.BytesIO(png)).convert("L")
    assert decode(image) == TEXT
    drawn = draw(code.svg, scale=PIXELS_PER_MODULE)
    assert drawn.size == image.size
    assert drawn.tobytes() == image.tobytes()


def test_a_code_is_black_on_white_even_on_a_dark_page() -> None:
    root = etree.fromstring(qr_code(TEXT).svg.encode())
    background, modules = root.iter("{*}path")
    assert background.get("fill") == "#fff"
    assert modules.get("stroke") == "#000"


def test_a_code_has_its_four_white_modules_around() -> None:
    image = draw(qr_code(TEXT).svg, scale=1)
    width, height = image.size
    inside = image.crop((4, 4, width - 4, height - 4))
    assert inside.getpixel((0, 0)) == 0
    image.paste(255, (4, 4, width - 4, height - 4))
    assert image.getextrema() == (255, 255)


def test_a_code_keeps_the_correction_that_was_asked_for() -> None:
    sizes = {
        level: etree.fromstring(qr_code(TEXT * 3, correction=level).svg.encode()).get("viewBox")
        for level in ("l", "m")
    }
    for level, size in sizes.items():
        width = segno.make_qr(TEXT * 3, error=level, boost_error=False).symbol_size(border=4)[0]
        assert size == f"0 0 {width} {width}"
    assert sizes["l"] != sizes["m"]


def test_text_whose_charset_a_scanner_would_guess_is_a_bug() -> None:
    with pytest.raises(UnicodeEncodeError):
        qr_code("é")
