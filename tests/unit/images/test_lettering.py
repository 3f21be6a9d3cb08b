"""Labels in any script are drawn: with the fonts of the package, or else in Latin letters, and never as boxes."""

import random
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from shared.images import lettering
from shared.images.lettering import draw_text, drawable, text_width

FONTS = Path(lettering.__file__).parent / "fonts"
OWN_SCRIPT = (
    "cat naïve Straße čeština",
    "Ελληνικά",
    "кошка",
    "ჩიტი",
    "Հայ",
    "猫と犬 東京タワー",
    "简体中文",
    "繁體中文",
    "고양이",
    "“a” → ½ €",
)
IN_LATIN = {
    "قطة": "qth",
    "חתול": "htvl",
    "แมว": "aemw",
    "बिल्ली": "billi",
    "ድመት": "dmet",
    "😀": ":grinning:",
    "👩‍👧": ":woman::girl:",
}
HOSTILE = {
    "a\u202eb\n<script>": "ab <script>",
    "\ud83d": "<U+D83D>",
    "\ue000": "<U+E000>",
    "\u0301": "<U+0301>",
    "e\u0301\u0302\u0303": "é",
    "": "",
    "\u200d": "<U+200D>",
}


@pytest.mark.parametrize("text", OWN_SCRIPT)
def test_scripts_of_the_fonts_are_drawn_as_they_are(text):
    assert drawable(text) == text


@pytest.mark.parametrize(("text", "latin"), IN_LATIN.items())
def test_other_scripts_are_drawn_in_latin_letters(text, latin):
    assert drawable(text) == latin


@pytest.mark.parametrize(("text", "drawn"), HOSTILE.items())
def test_what_has_no_letter_is_drawn_as_its_code_point(text, drawn):
    assert drawable(text) == drawn


def test_a_long_label_is_cut_to_its_room():
    sheet = Image.new("RGB", (400, 40))
    pen = ImageDraw.Draw(sheet)
    for text in ("x" * 5000, "猫" * 5000, "x猫" * 5000, "क" * 5000):
        assert 270 < draw_text(pen, (0, 20), text, (255, 255, 255), 300) <= 300
    assert draw_text(pen, (0, 20), "cat", (255, 255, 255), 300) == text_width("cat")
    assert draw_text(pen, (0, 20), "cat", (255, 255, 255), 3) == 0
    assert sheet.crop((300, 0, 400, 40)).getbbox() is None


def test_letters_that_are_long_in_latin_letters_take_no_more_time_to_cut(monkeypatch):
    measured, width = list[int](), lettering._width

    def counted(letters):
        measured.append(sum(len(one.text) for one in letters))
        return width(letters)

    monkeypatch.setattr(lettering, "_width", counted)
    pen = ImageDraw.Draw(Image.new("RGB", (900, 40)))
    # one character that is a sentence of 28 Latin letters
    for text in ("\ufdfd" * 100, "x" * 100):
        measured.clear()
        draw_text(pen, (0, 20), text, (255, 255, 255), 800)
        assert sum(measured) < 15_000


def test_any_text_is_drawn_without_a_box():
    draw = random.Random(7)
    pen = ImageDraw.Draw(Image.new("RGB", (900, 40)))
    missing = [lettering._missing(0), lettering._missing(1)]
    for _ in range(300):
        text = "".join(chr(draw.randrange(sys.maxunicode + 1)) for _ in range(20))
        draw_text(pen, (0, 20), text, (255, 255, 255), 800)
        for letters in lettering._letters(text):
            font = lettering._font(letters.font)
            assert all(bytes(font.getmask(sign)) != missing[letters.font] for sign in letters.text)


def test_the_fonts_are_small_and_carry_their_licences():
    assert sum(file.stat().st_size for file in FONTS.glob("*.woff2")) < 1_000_000
    assert {"LICENSE-DejaVu.txt", "LICENSE-Droid.txt"} < {file.name for file in FONTS.iterdir()}
