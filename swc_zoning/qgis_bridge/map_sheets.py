# SPDX-License-Identifier: GPL-2.0-or-later
"""Map sheets of a result: each a layout filled, looked up and written as PDF and pictures.

Everything belongs to a project of its own: nothing of the user's is shown or changed. Files are written
aside and put in place together, so that a cancelled run leaves nothing. Layouts are drawn in the main
thread, as QGIS demands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayoutExporter,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.engine import claim
from swc_zoning.engine.chapter import pdf_text, plans
from swc_zoning.engine.chapter.plans import District, Papers, Sheet
from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import compat
from swc_zoning.qgis_bridge.feedback import PartListener
from swc_zoning.qgis_bridge.map_layers import Drawn, Stock
from swc_zoning.qgis_bridge.map_page import Page

FORMATS = ("pdf", "jpg", "png")
LAYOUT = "a3_landscape.qpt"
_QUALITY = 92


@dataclass(frozen=True)
class Wanted:
    """What is asked for: sheets and districts by id and code, files, dots per inch.

    `layouts`: a folder with templates of the user's own, None: the shipped one; "06.qpt" there is for
    sheet 06, "district.qpt" for sheets of districts, "default.qpt" or the name of the shipped one for all.
    """

    sheets: Sequence[Sheet]
    districts: Sequence[District] = ()
    formats: Sequence[str] = ("pdf", "jpg")
    dpi: int = 300
    layouts: Path | None = None


@dataclass(frozen=True)
class Data:
    """What sheets are drawn from: the files that the command ``mapdata`` wrote.

    `around`: districts outside the plan, in any CRS, with the field of their names ("": none).
    """

    themes: Path
    legends: Path
    around: QgsVectorLayer | None = None
    around_name: str = ""


#: A sheet to make, of the city or of a district.
_Task = tuple[Sheet, "District | None"]


def make(data: Data, paper: Papers, wanted: Wanted, output: Path, listener: PartListener) -> list[Path]:
    """Make sheets into the folder `output` and return their files.

    Raises SwcError ``maps.template``, ``maps.unwritable``, ``host.result_layer``, Cancelled.
    """
    tasks = [(sheet, None) for sheet in wanted.sheets]
    tasks += [(sheet, one) for sheet in plans.sheets() if sheet.by_district for one in wanted.districts]
    target = output.absolute()
    try:
        with claim.claimed(target), claim.aside(target, target) as aside:
            made = _made(data, paper, wanted, tasks, aside, listener)
            return [path.replace(target / path.name) for path in made]
    except OSError as error:
        raise SwcError("maps.unwritable", path=str(output), reason=error.strerror or str(error)) from error


def _made(
    data: Data,
    paper: Papers,
    wanted: Wanted,
    tasks: list[_Task],
    aside: Path,
    listener: PartListener,
) -> list[Path]:
    project = QgsProject()
    files: list[Path] = []
    try:
        press = _Press(data, paper, wanted, project)
        for number, (sheet, district) in enumerate(tasks):
            name = plans.file_name(paper, sheet, district)
            listener.tell(name, number / len(tasks))
            if listener.cancelled():
                raise Cancelled
            files += press.sheet(sheet, district, aside / name)
        if listener.cancelled():
            raise Cancelled
    finally:
        project.clear()
    return files


class _Press:
    """Makes sheets one after the other; layers are opened once."""

    def __init__(self, data: Data, paper: Papers, wanted: Wanted, project: QgsProject) -> None:
        self._paper, self._wanted, self._project = paper, wanted, project
        self._crs = QgsCoordinateReferenceSystem(paper.summary["crs"])
        project.setCrs(self._crs)
        numbers = json.loads(data.legends.read_text(encoding="utf-8"))
        self._stock = Stock(data.themes, paper, project, numbers)
        if data.around is not None:
            self._stock.surround(data.around, data.around_name)

    def sheet(self, sheet: Sheet, district: District | None, path: Path) -> list[Path]:
        """Write one sheet as files that begin with `path`."""
        page, patches = self.filled(sheet, district, path.name)
        files = [_export(page, path, form, self._wanted.dpi) for form in self._wanted.formats]
        return files + self._listed(patches, path)

    def filled(self, sheet: Sheet, district: District | None, name: str) -> tuple[Page, list[list[Any]]]:
        """Return the page of a sheet whose files are called `name`, and a row for each patch too small."""
        drawn = self._stock.drawn(sheet, district)
        page = Page(self._project, _template(self._wanted.layouts, sheet, district))
        scale = page.show(drawn.layers, self._crs, self._stock.extent(district))
        page.graticule(not self._paper.public)
        page.north()
        page.legend(drawn.legend)
        patches = self._small(drawn, scale)
        texts = {**plans.words(self._paper, sheet, district), **self._texts(drawn, scale, patches, name)}
        named = (self._named("none_here", drawn.absent), self._named("withheld", drawn.withheld))
        texts["missing"] = "\n".join(filter(None, (texts["missing"], *named)))
        page.write(texts)
        return page, patches

    def _texts(self, drawn: Drawn, scale: int, patches: list[list[Any]], name: str) -> dict[str, str]:
        paper = self._paper
        crs = paper.crs(self._crs.description())
        texts = {"scale_text": paper.text("scale", number=f"{scale:,}"), "crs": crs}
        limit = plans.hectares(plans.smallest_m2(scale))
        if patches:
            code = "small_dots" if drawn.dots else "small"
            facts = {"count": len(patches), "area": plans.hectares(sum(row[-1] for row in patches))}
            texts["small"] = paper.text(code, limit=limit, file=paper.text("small_file", name=name), **facts)
        elif drawn.small:
            texts["small"] = paper.text("small_none", limit=limit)
        else:
            texts["small"] = ""
        return texts

    def _named(self, code: str, roles: Sequence[str]) -> str:
        names = [plans.role_name(role, self._paper.lang) for role in roles]
        return self._paper.text(code, names=plans.joined(self._paper.lang, names)) if names else ""

    def _small(self, drawn: Drawn, scale: int) -> list[list[Any]]:
        """Return a row for each patch that is too small at a scale."""
        limit, rows = plans.smallest_m2(scale), []
        for layer, where in drawn.small:
            rows += self._stock.patches_below(layer, where, limit)
        return rows

    def _listed(self, patches: list[list[Any]], path: Path) -> list[Path]:
        if not patches:
            return []
        paper = self._paper
        heads = [paper.text(f"column_{name}") for name in ("zone", "district", "piece", "area")]
        target = path.with_name(paper.text("small_file", name=path.name))
        rows = [[*row[:-1], f"{row[-1]:.2f}"] for row in patches]
        target.write_bytes(plans.csv_bytes([heads, *rows]))
        return [target]


def _template(layouts: Path | None, sheet: Sheet, district: District | None) -> Path:
    names = [f"{sheet.id}.qpt", "default.qpt", LAYOUT]
    if district is not None:
        names.insert(0, "district.qpt")
    own = [layouts / name for name in names] if layouts is not None else []
    return next((path for path in own if path.is_file()), resource("layouts", LAYOUT))


def _export(page: Page, path: Path, form: str, dpi: int) -> Path:
    target = path.with_name(f"{path.name}.{form}")
    exporter = QgsLayoutExporter(page.layout)
    done = _as_pdf(exporter, target, dpi) if form == "pdf" else _as_picture(exporter, target, form, dpi)
    if not done or not target.is_file():
        raise SwcError("maps.unwritable", path=str(target), reason="")
    return target


def _as_pdf(exporter: QgsLayoutExporter, target: Path, dpi: int) -> bool:
    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = dpi
    # As text, so that it can be searched; coordinates stay out of the file.
    settings.textRenderFormat = compat.ALWAYS_TEXT
    settings.appendGeoreference = False
    settings.exportMetadata = False
    settings.forceVectorOutput = True
    done = exporter.exportToPdf(str(target), settings) == QgsLayoutExporter.ExportResult.Success
    if done:
        pdf_text.make_findable(target)
    return done


def _as_picture(exporter: QgsLayoutExporter, target: Path, form: str, dpi: int) -> bool:
    picture = exporter.renderPageToImage(0, dpi=dpi)
    picture.setDotsPerMeterX(round(dpi / 0.0254))
    picture.setDotsPerMeterY(round(dpi / 0.0254))
    return picture.save(str(target), form.upper(), _QUALITY if form == "jpg" else -1)
