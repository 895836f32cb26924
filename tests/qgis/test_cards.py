# SPDX-License-Identifier: GPL-2.0-or-later
"""Cards: one A4 page whatever is on it, with text that can be found, drawn in any thread."""

from __future__ import annotations

import re
import threading
import zlib

import layers
import pytest
from qgis.core import QgsVectorLayer
from qgis.PyQt.QtGui import QColor

from swc_zoning.engine.messages import SwcError
from swc_zoning.qgis_bridge.cards import Card, CardMap, Section, draw_map, write_card

#: Characters whose glyphs are those of radicals, digits beside letters, signs that HTML would eat.
WORDS = ["水土保持 面积 生产 用地 自然 长江 门 见", "M01 <a1b2> & 3.2.1", "GB50433-2018"]


def text_of(path):
    """Return all text of a PDF by its own mappings from glyphs to characters."""
    raw = path.read_bytes()
    objects = {int(n): body for n, body in re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", raw, re.DOTALL)}
    maps = {}
    for number, body in objects.items():
        found = re.search(rb"/ToUnicode (\d+) 0 R", body)
        if found:
            maps[number] = mapping(objects[int(found.group(1))])
    [page] = [body for body in objects.values() if b"/Type /Page\n" in body or b"/Type /Page\r" in body]
    resources = objects[int(re.search(rb"/Resources (\d+) 0 R", page).group(1))]
    fonts = {name: maps[int(n)] for name, n in re.findall(rb"/(F\d+) (\d+) 0 R", resources)}
    contents = objects[int(re.search(rb"/Contents (\d+) 0 R", page).group(1))]
    stream = zlib.decompress(contents.split(b"stream\n", 1)[1].split(b"\nendstream")[0])
    said, font = [], {}
    for name, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9a-fA-F]+)>", stream):
        font = fonts.get(name, font) if name else font
        said += [font.get(int(glyphs[i : i + 4], 16), "?") for i in range(0, len(glyphs), 4)]
    return "".join(said)


def mapping(body):
    """Return character by glyph of a ToUnicode map."""
    found = {}
    for first, rest in re.findall(rb"<(\w{4})> <\w{4}> (\[.*?\]|<\w{4}>)", body):
        for offset, code in enumerate(re.findall(rb"<(\w{4})>", rest)):
            found[int(first, 16) + offset] = chr(int(code, 16))
    return found


def pages(path):
    return re.findall(rb"/Count (\d+)", path.read_bytes())


def squeezed(text):
    return "".join(text.split())


@pytest.fixture
def picture():
    """A map of one square, outlined."""
    layer = layers.memory("land", [(0, 0, 1000)])
    [feature] = layers.memory("one", [(400, 400, 200)]).getFeatures()
    return CardMap([layer], feature.geometry(), layer.crs())


def test_everything_on_a_card_can_be_found_in_it(tmp_path, picture):
    card = Card(WORDS[0], [Section("事实", [[WORDS[1], WORDS[2]]])], picture, "副题", "脚注 2026")
    write_card(tmp_path / "卡.pdf", card)
    said = squeezed(text_of(tmp_path / "卡.pdf"))
    for words in (*WORDS, "事实", "副题", "脚注2026"):
        assert squeezed(words) in said
    assert pages(tmp_path / "卡.pdf") == [b"1"]


@pytest.mark.parametrize("count", [0, 8, 30, 300])
def test_a_card_has_one_page_however_much_there_is_and_says_where_the_rest_is(tmp_path, picture, count):
    rows = [[f"部门{number}", "措施 " * 30, "依据"] for number in range(count)]
    sections = [Section("事实", [["a", "b"]]), Section("措施", rows), Section("条款", lines=["末尾条款"])]
    write_card(tmp_path / "card.pdf", Card("标题", sections, picture, foot="脚注", more="其余另见文件"))
    assert pages(tmp_path / "card.pdf") == [b"1"]
    said = squeezed(text_of(tmp_path / "card.pdf"))
    assert "末尾条款" in said
    assert "脚注" in said
    assert ("其余另见文件" in said) == (count == 300)


def test_the_map_shows_the_layers_and_the_outline(picture):
    image = draw_map(picture)
    layer = picture.layers[0]
    fill = layer.renderer().symbol().color()
    beside = image.pixelColor(image.width() // 10, image.height() // 10)
    assert abs(beside.red() - fill.red()) + abs(beside.green() - fill.green()) < 12
    red = QColor("#d7191c")
    row = [image.pixelColor(x, image.height() // 2) for x in range(image.width())]
    assert sum(colour == red for colour in row) >= 8


def test_a_card_is_written_in_another_thread_from_layers_opened_there(tmp_path, picture):
    caught = []

    def write():
        layer = QgsVectorLayer("Polygon?crs=EPSG:4549", "own", "memory")
        try:
            write_card(tmp_path / "t.pdf", Card("题", [], CardMap([layer], picture.outline, picture.crs)))
        except SwcError as error:
            caught.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(30)
    assert caught == []
    assert pages(tmp_path / "t.pdf") == [b"1"]


def test_a_folder_that_is_not_there_is_said_and_nothing_is_left(tmp_path):
    with pytest.raises(SwcError, match=r"cards\.unwritable"):
        write_card(tmp_path / "nowhere" / "card.pdf", Card("题", []))
    assert list(tmp_path.iterdir()) == []
