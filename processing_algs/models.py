# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped models, as algorithms with an id that never changes and a name in the user's language."""

from __future__ import annotations

from collections.abc import Iterator

from qgis.core import QgsProcessingModelAlgorithm
from qgis.PyQt.QtGui import QIcon

from swc_zoning.engine import roles
from swc_zoning.engine.messages import catalogue
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge.i18n import language, text

#: File and room of words of each model, and its id.
IDS = {"whole_city": "wholecity", "by_district": "bydistrict", "three_lines": "threelines"}


class ShippedModel(QgsProcessingModelAlgorithm):
    """A model of ``resources/models``; a file of it names it in both languages at once."""

    def __init__(self, room: str) -> None:
        super().__init__()
        self._room = room
        path = str(resource("models", f"{room}.model3"))
        self.loaded = self.fromFile(path)
        self.setSourceFilePath(path)
        for definition in self.parameterDefinitions():
            label, help_text = _words(definition.name().rpartition(":")[2])
            definition.setDescription(label)
            definition.setHelp(help_text)

    def createInstance(self) -> ShippedModel:  # noqa: N802 (QGIS calls these names)
        """Return a new object of the same model."""
        return ShippedModel(self._room)

    def name(self) -> str:
        """Return the id, which never changes."""
        return IDS[self._room]

    def displayName(self) -> str:  # noqa: N802
        """Return the name shown in the toolbox."""
        return text(f"{self._room}.name")

    def shortDescription(self) -> str:  # noqa: N802
        """Return the one-line description."""
        return text(f"{self._room}.help")

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        return text(f"{self._room}.help")

    def group(self) -> str:
        """Return the name of the group."""
        return text("group.models")

    def groupId(self) -> str:  # noqa: N802
        """Return the id of the group, which never changes."""
        return "models"

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802
        """Return the path of the icon."""
        return str(resource("icons", "swc_zoning.svg"))


def _words(name: str) -> tuple[str, str]:
    """Return label and help of an input or output in the user's language, as the file has them in both."""
    role = next((role for role in roles.all_roles() if role.param == name), None)
    if role is not None:
        label = role.name_zh if language() == "zh" else role.name_en
        return label, text("models.role_help")
    own = f"models.{name.lower()}"
    room = "models" if own in catalogue() else "inputs"
    helped = [code for code in (f"{own}_help", f"inputs.{name.lower()}_help") if code in catalogue()]
    return text(f"{room}.{name.lower()}"), text(helped[0]) if helped else ""


def shipped() -> Iterator[ShippedModel]:
    """Yield the models that can be read: one whose steps are not there is left out."""
    for room in IDS:
        model = ShippedModel(room)
        if model.loaded:
            yield model
