# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped models, as algorithms with an id that never changes and a name in the user's language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterMatrix,
)
from qgis.PyQt.QtGui import QIcon

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import chains
from swc_zoning.engine.messages import catalogue
from swc_zoning.paths import resource
from swc_zoning.processing_algs import evaluation_parameters
from swc_zoning.processing_algs.base import can_evaluate
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
            self._say(definition, definition.name().rpartition(":")[2])

    def _say(self, definition: QgsProcessingParameterDefinition, name: str) -> None:
        """Give an input or output its words in the language of the user."""
        label, help_text = _words(name)
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


class ChainModel(ShippedModel):
    """A chain of the evaluation, with the words of its declaration."""

    def __init__(self, name: str) -> None:
        self._chain = chains.chains()[name]
        self._words = {
            one.name(): one
            for one in (
                *evaluation_parameters.inputs(self._chain.algorithm),
                *evaluation_parameters.outputs(self._chain.algorithm),
            )
        }
        super().__init__(name)

    def createInstance(self) -> ChainModel:  # noqa: N802
        """Return a new object of the same model."""
        return ChainModel(self._room)

    def name(self) -> str:
        """Return the id, which never changes: the name of the chain."""
        return self._room

    def displayName(self) -> str:  # noqa: N802
        """Return the name shown in the toolbox."""
        return getattr(self._chain.algorithm, f"name_{language()}")

    def shortDescription(self) -> str:  # noqa: N802
        """Return the one-line description."""
        return self.shortHelpString()

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        return getattr(self._chain.algorithm, f"help_{language()}")

    def canExecute(self) -> tuple[bool, str]:  # noqa: N802
        """Return whether the Python of the engine can read rasters, and else what to install."""
        return can_evaluate(super().canExecute())

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Return whether the parameters fit.

        On their way through Python lists of words, as a command line gives them, become what a table takes.
        """
        return super().checkParameterValues(parameters, context)

    def layer_roles(self) -> dict[str, tuple[str, bool]]:
        """Return of each input that is a layer of the zoning its role, and whether it takes several."""
        return {
            evaluation_parameters.name_of(one): (one.facts["role"], one.kind == "vectors")
            for one in self._chain.algorithm.parameters
            if one.facts.get("role")
        }

    def _say(self, definition: QgsProcessingParameterDefinition, name: str) -> None:
        said = self._words[name]
        definition.setDescription(said.description())
        definition.setHelp(said.help())
        if isinstance(definition, QgsProcessingParameterEnum):
            definition.setOptions(said.options())
        if isinstance(definition, QgsProcessingParameterMatrix):
            definition.setHeaders(said.headers())
            definition.setDefaultValue(said.defaultValue())


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
    for model in (*map(ShippedModel, IDS), *map(ChainModel, chains.chains())):
        if model.loaded:
            yield model
