# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the layers: which layer plays which role, where its tiers are, and what its papers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsMapLayer,
    QgsMimeDataUtils,
    QgsProcessingFeedback,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtWidgets import QDialog, QFileDialog, QInputDialog, QWidget

from swc_zoning.engine import profiles, reports, roles
from swc_zoning.engine.job import EXTENT_ROLE, REFERENCE_ROLE
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui import copies
from swc_zoning.gui.delineation import ROLE, Delineation
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.layer_rows import (
    EXTENT,
    REFERENCE,
    At,
    edited,
    entries,
    missing_roles,
    new_entry,
    placed,
    row_of,
    without,
)
from swc_zoning.gui.layers_form import LayersForm
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.proposal_dialog import Candidate, ProposalDialog
from swc_zoning.gui.session import INPUTS, RULES_FILE
from swc_zoning.gui.tier_dialog import TierDialog
from swc_zoning.qgis_bridge import sources, surveys
from swc_zoning.qgis_bridge.styling import RUN_PROPERTY

PROFILES = "profiles"


class LayersPage(Page):
    """Edits the layers of the job; files are read where they lie, other layers are copied as shown."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        #: What was found of the job's layers, by (source, layer).
        self._found: dict[tuple[str, str], surveys.Found] = {}
        self._asked: set[tuple[str, str]] = set()
        self._feedback = QgsProcessingFeedback()
        self._copying = False
        self.form = LayersForm(self)
        self.delineation = Delineation(desk, self)
        self.form.missing_row.addWidget(self.delineation.button)
        self.setAcceptDrops(True)
        self._connect()
        self._fill_profiles()
        self._refresh()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Layers")

    def state(self) -> State:
        """Return how the layers stand."""
        rows = self.form.view.rows_model.rows
        if not rows:
            return State(Level.OPEN, self.tr("No layer yet: add some"))
        bad = sum(row["level"] == Level.PROBLEM for row in rows)
        if bad:
            return State(Level.PROBLEM, self.tr("Layers with a problem: {count}").format(count=bad))
        if not self.desk.session.job.get(EXTENT):
            return State(Level.OPEN, self.tr("No extent yet"))
        unready = sum(row["level"] == Level.OPEN for row in rows)
        missing = len(missing_roles(self.desk.session.job))
        words = [self.tr("{count} layers").format(count=len(rows))]
        if unready:
            words.append(self.tr("incomplete: {count}").format(count=unready))
        if missing:
            words.append(self.tr("not provided: {count}").format(count=missing))
        return State(Level.OPEN if unready or missing else Level.DONE, ", ".join(words))

    def activate(self) -> None:
        """Look at the files anew: they may have come or gone."""
        self._asked.clear()
        self._fill_profiles()
        self._refresh()

    def unload(self) -> None:
        """Stop copying."""
        self._feedback.cancel()
        self.delineation.close()
        self.desk.session.project.cleared.disconnect(self._stop_copying)

    # --- adding ------------------------------------------------------------------------------------

    def add_from_project(self, layers: Sequence[QgsMapLayer] | None = None) -> None:
        """Propose roles for polygon layers of the project, all of them where none are named."""
        shown = self.desk.session.project.mapLayers().values() if layers is None else layers
        usable = [one for one in shown if isinstance(one, QgsVectorLayer) and _may_be_polygons(one)]
        usable = [one for one in usable if not self._is_result(one)]
        self.propose([self._candidate(one) for one in usable])

    def add_files(self, paths: Sequence[Path]) -> None:
        """Look into files and folders in the background, then propose roles for their polygon layers."""

        def look() -> list[surveys.Found]:
            return [one for path in paths for one in _look(path)]

        self.desk.runner.work(look, self._take_survey)

    def propose(self, candidates: Sequence[Candidate]) -> None:
        """Let the user decide on the roles of candidates, and add those that are used."""
        known = {_key(entry) for _, entry in entries(self.desk.session.job)}
        fresh = [one for one in candidates if one.place is None or _key(one.place) not in known]
        if not fresh:
            words = self.tr("There is no polygon layer that is not in the job already.")
            self.desk.say(Qgis.MessageLevel.Info, words)
            return
        dialog = ProposalDialog(fresh, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.add_chosen(dialog.choices())
        dialog.deleteLater()

    def add_chosen(self, chosen: Sequence[tuple[Candidate, str]]) -> None:
        """Add layers in their roles: plain files at once, others after they were copied."""
        plain = [(one, role, one.place, one.found.fields) for one, role in chosen if one.place is not None]
        for one, _, place, _ in plain:
            self._found[_key(place)] = surveys.Found(**{**vars(one.found), **_named(place)})
        self._add([self._entry(*each) for each in plain])
        others = [(one, role) for one, role in chosen if one.place is None and one.layer is not None]
        if others:
            self._copy_new(others)

    def _candidate(self, layer: QgsVectorLayer) -> Candidate:
        place, found = sources.in_place(None, layer), surveys.of_layer(layer)
        if place is not None:
            found = surveys.Found(place["source"], layer.name(), found.fields, found.geometry, found.count)
        hindered = ""
        if place is None and self.desk.session.folder is None:
            hindered = self.tr("must be copied: choose a working folder first")
        return Candidate(found, layer, place, self._profiled(found), hindered)

    def _is_result(self, layer: QgsVectorLayer) -> bool:
        """Return whether a layer shows a result of ours: those are no inputs."""
        node = self.desk.session.project.layerTreeRoot().findLayer(layer.id())
        while node is not None:
            if node.customProperty(RUN_PROPERTY):
                return True
            node = node.parent()
        return False

    def _take_survey(self, found: Any) -> None:
        if isinstance(found, Exception):
            self.desk.say_error(found)
            return
        usable = [one for one in found if one.problem or one.may_be_polygons]
        self.propose([self._file_candidate(one) for one in usable])

    def _file_candidate(self, found: surveys.Found) -> Candidate:
        place = {"source": found.source, "layer": found.layer}
        hindered = self.tr("cannot be read") if found.problem else ""
        return Candidate(found, None, place, self._profiled(found), hindered)

    def _entry(
        self, one: Candidate, role: str, place: Mapping[str, Any], fields: Sequence[str]
    ) -> dict[str, Any]:
        entry, matched = new_entry(role, place, fields), self._match(one.found, fields)
        if matched is not None and matched.row.role == role:
            entry.update(matched.change)
        return entry

    def _add(self, added: Sequence[Mapping[str, Any]]) -> None:
        if added:
            session = self.desk.session
            session.set_job(placed(session.job, added))

    def _take_delineated(self, found: surveys.Found) -> None:
        """Put the layer that was delineated into its role."""
        place = {"source": found.source, "layer": found.layer}
        self._found[_key(place)] = found
        self._add([new_entry(ROLE, place, found.fields)])
        words = self.tr("Delineated and put into its role: {count} patches").format(count=found.count)
        self.desk.say(Qgis.MessageLevel.Success, words)

    # --- copies ------------------------------------------------------------------------------------

    def _inputs(self) -> Path | None:
        folder = self.desk.session.folder
        return None if folder is None else folder / INPUTS

    def _copy_new(self, chosen: Sequence[tuple[Candidate, str]]) -> None:
        orders: list[copies.Order] = []
        for one, _ in chosen:
            orders.append(copies.order(one.layer, self._inputs(), taken=[order.path for order in orders]))

        def add(done: Sequence[sources.Copied]) -> None:
            triples = [(*pair, copied) for pair, copied in zip(chosen, done)]
            self._add([self._entry(one, role, {"source": c.source}, c.fields) for one, role, c in triples])

        self._carry_out(orders, add)

    def refresh_copies(self) -> None:
        """Copy the chosen layers anew as they are shown now."""
        orders = [copies.order(layer, self._inputs(), path) for layer, path in self._copied_layers()]

        def over(_: Any) -> None:
            session = self.desk.session
            for one in orders:
                self._asked.discard((str(one.path), ""))
            session.set_job(dict(session.job))

        self._carry_out(orders, over)

    def _carry_out(self, orders: Sequence[copies.Order], done: Callable[[Any], None]) -> None:
        self._copying = True
        self._refresh()

        def over(outcome: Any) -> None:
            self._copying = False
            if isinstance(outcome, Exception):
                self.desk.say_error(outcome)
            else:
                done([_moved(copied, one.path) for copied, one in zip(outcome, orders)])
                words = self.tr("Copied as shown: {names}").format(
                    names=", ".join(f"{one.note['name']} ({c.count})" for one, c in zip(orders, outcome))
                )
                self.desk.say(Qgis.MessageLevel.Success, words)
            self._refresh()

        feedback = self._feedback
        self.desk.runner.work(lambda: copies.carry_out(orders, feedback), over)

    def _stop_copying(self) -> None:
        """Stop copying layers of a project that is no more; what was asked about its files too."""
        self._feedback.cancel()
        self._feedback, self._copying = QgsProcessingFeedback(), False
        self._asked.clear()
        self._refresh()

    def _copied_layers(self) -> list[tuple[QgsVectorLayer, Path]]:
        """Return the layers whose copies are chosen, or all where none are, each with its file."""
        inputs = self._inputs()
        notes = {} if inputs is None else copies.notes(inputs)
        chosen = self.form.chosen() or [at for at, _ in entries(self.desk.session.job)]
        pairs = []
        for at, entry in entries(self.desk.session.job):
            path = Path(entry["source"])
            if at in chosen and inputs is not None and path.parent == inputs and path.name in notes:
                layer = self.desk.session.project.mapLayer(notes[path.name]["layer_id"])
                if isinstance(layer, QgsVectorLayer):
                    pairs.append((layer, path))
        return pairs

    def _note(self, entry: Mapping[str, Any], notes: Mapping[str, Any]) -> str:
        """Return why a copy is out of date, "" where it is not or the entry is none."""
        path = Path(entry["source"])
        note = notes.get(path.name) if path.parent == self._inputs() else None
        if not note:
            return ""
        layer = self.desk.session.project.mapLayer(note.get("layer_id", ""))
        if isinstance(layer, QgsVectorLayer) and copies.is_changed(note, layer):
            return self.tr("the layer shows something else now: refresh the copy")
        return ""

    # --- profiles ----------------------------------------------------------------------------------

    def _own_folder(self) -> Path:
        folder = self.desk.session.folder
        base = Path(QgsApplication.qgisSettingsDirPath()) / "swc_zoning" if folder is None else folder
        return base / PROFILES

    def _fill_profiles(self) -> None:
        self.form.fill_profiles([*profiles.shipped(), *profiles.own(self._own_folder())])

    def _match(self, found: surveys.Found, fields: Sequence[str]) -> profiles.Match | None:
        profile = self.form.profile()
        if profile is None:
            return None
        tries = (profiles.match(profile, name, fields) for name in found.names)
        return next((one for one in tries if one is not None), None)

    def _profiled(self, found: surveys.Found) -> str:
        matched = self._match(found, found.fields)
        return matched.row.role if matched is not None else ""

    def apply_profile(self) -> None:
        """Take roles, tiers and fields from the profile; what is set stays unless it is to be replaced."""
        session = self.desk.session
        job, replace, count = session.job, self.form.replace.isChecked(), 0
        for at, entry in entries(session.job):
            found = self._found.get(_key(entry))
            matched = None if found is None or found.problem else self._match(found, found.fields)
            frame = isinstance(at, str) or (matched is not None and matched.row.role == EXTENT_ROLE)
            if matched is None or (frame and not (at == EXTENT and matched.row.role == EXTENT_ROLE)):
                continue
            changed = profiles.apply(entry, matched, replace)
            if changed != entry:
                count += 1
                job = edited(
                    job,
                    at,
                    {key: changed.get(key) for key in {**entry, **changed} if at != EXTENT or key != "role"},
                )
        if count:
            session.set_job(job)
        words = self.tr("Layers changed by the profile: {count}").format(count=count)
        self.desk.say(Qgis.MessageLevel.Info, words)

    def save_profile(self) -> None:
        """Keep roles, tiers and fields of the job as a profile of the user."""
        question = self.tr("Name of the profile")
        name, ok = QInputDialog.getText(self, self.tr("Save as own profile"), question)
        if not ok or not name.strip():
            return
        try:
            path = profiles.write(profiles.from_job(self.desk.session.job, name.strip()), self._own_folder())
        except SwcError as error:
            self.desk.say_error(error)
            return
        self._fill_profiles()
        self.form.choose_profile(path)
        self.desk.say(Qgis.MessageLevel.Success, self.tr("Profile saved: {path}").format(path=path))

    # --- editing -----------------------------------------------------------------------------------

    def edit_tiers(self) -> None:
        """Let the user say where the tiers of the chosen layer come from."""
        entry, at = self._chosen_entries()[0], self.form.chosen()[0]
        found = self._found.get(_key(entry))
        dialog = TierDialog(self.desk.runner, entry, found.fields if found else (), self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            session = self.desk.session
            session.set_job(edited(session.job, at, {"tier": dialog.tier()}))
        dialog.deleteLater()

    def remove(self) -> None:
        """Take the chosen layers out of the job; their data stay."""
        session = self.desk.session
        session.set_job(without(session.job, self.form.chosen()))

    def _take_paper(self, key: str, value: Any) -> None:
        session, chosen = self.desk.session, self.form.chosen()
        if key == "role":
            self._take_role(value, chosen)
            return
        job = session.job
        for at in chosen:
            if isinstance(at, str) and key in ("use", "tier"):
                continue
            said = "code_field" if at == EXTENT and key == "id_field" else key
            if at != REFERENCE:
                job = edited(job, at, {said: value})
        if job != session.job:
            session.set_job(job)

    def _take_role(self, role: str, chosen: Sequence[At]) -> None:
        """Give the chosen layers a role: fields of the old one are told anew, papers stay."""
        session = self.desk.session
        taken = [entry for at, entry in entries(session.job) if at in chosen and entry["role"] != role]
        if not taken:
            return
        job = session.job
        if {role, *(entry["role"] for entry in taken)} & {EXTENT_ROLE, REFERENCE_ROLE}:
            moved = [at for at, entry in entries(job) if at in chosen and entry["role"] != role]
            job = placed(without(job, moved), [self._in_role(entry, role) for entry in taken])
        else:
            for at, entry in entries(job):
                if at in chosen:
                    new = self._in_role(entry, role)
                    job = edited(job, at, {key: new.get(key) for key in {**entry, **new}})
        session.set_job(job)

    def _in_role(self, entry: Mapping[str, Any], role: str) -> dict[str, Any]:
        kept = {key: value for key, value in entry.items() if key not in ("role", "tier", "use")}
        found = self._found.get(_key(entry))
        told = new_entry(role, {}, found.fields if found else ())
        return {**told, **kept}

    def _take_head(self, key: str, value: str) -> None:
        session = self.desk.session
        job = {one: said for one, said in session.job.items() if one != key}
        if value:
            job[key] = value
        if job != session.job:
            session.set_job(job)

    # --- files of the job --------------------------------------------------------------------------

    def open_job(self, path: Path) -> None:
        """Take the job of a file; says what is wrong with it."""
        try:
            self.desk.session.open_job(path)
        except SwcError as error:
            self.desk.say_error(error)

    def save_job(self, path: Path) -> None:
        """Write the job, with full paths, to another file."""
        session, document = self.desk.session, dict(self.desk.session.job)
        if session.rules is not None and session.folder is not None:
            document["rules"] = str(session.folder / RULES_FILE)
        try:
            reports.write(document, path)
        except SwcError as error:
            self.desk.say_error(error)

    def _choose_job(self) -> None:
        start, kinds = str(self.desk.session.folder or ""), self.tr("Jobs (*.json)")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Open job"), start, kinds)
        if chosen:
            self.open_job(Path(chosen))

    def _choose_copy(self) -> None:
        start, kinds = str((self.desk.session.folder or Path()) / "job.json"), self.tr("Jobs (*.json)")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save job as"), start, kinds)
        if chosen:
            self.save_job(Path(chosen))

    def _choose_files(self) -> None:
        endings = " ".join(f"*{ending}" for ending in surveys.SUFFIXES)
        vector, everything = self.tr("Vector data"), self.tr("All files")
        kinds = f"{vector} ({endings});;{everything} (*)"
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Add files"), "", kinds)
        if chosen:
            self.add_files([Path(one) for one in chosen])

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Add all layers of a folder"))
        if chosen:
            self.add_files([Path(chosen)])

    # --- drag and drop -----------------------------------------------------------------------------

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802 (Qt's own form)
        """Take layers of the layer tree and files."""
        if _dropped(event.mimeData())[0] or event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:  # noqa: N802
        """Propose roles for what was dropped."""
        ids, paths = _dropped(event.mimeData())
        event.acceptProposedAction()
        if ids:
            layers = [self.desk.session.project.mapLayer(one) for one in ids]
            self.add_from_project([one for one in layers if one is not None])
        elif paths:
            self.add_files(paths)

    # --- showing -----------------------------------------------------------------------------------

    def _connect(self) -> None:
        form, session = self.form, self.desk.session
        for button, act in (
            (form.add_project, lambda: self.add_from_project()),
            (form.add_files, self._choose_files),
            (form.add_folder, self._choose_folder),
            (form.tiers, self.edit_tiers),
            (form.remove, self.remove),
            (form.refresh, self.refresh_copies),
            (form.apply, self.apply_profile),
            (form.save_profile, self.save_profile),
            (form.open, self._choose_job),
            (form.save, self._choose_copy),
        ):
            button.clicked.connect(act)
        form.view.selectionModel().selectionChanged.connect(self._show_chosen)
        form.view.doubleClicked.connect(lambda _: form.tiers.click())
        form.papers.changed.connect(self._take_paper)
        form.head_changed.connect(self._take_head)
        form.profile_combo.currentIndexChanged.connect(self._show_chosen)
        self.delineation.made.connect(self._take_delineated)
        session.project.cleared.connect(self._stop_copying)
        session.folder_changed.connect(self._refresh)
        session.job_changed.connect(self._refresh)

    def _refresh(self) -> None:
        job, chosen = self.desk.session.job, self.form.chosen()
        notes = copies.notes(self._inputs()) if self._inputs() else {}
        rows = [
            row_of(at, entry, self._found.get(_key(entry)), self._note(entry, notes))
            for at, entry in entries(job)
        ]
        self.form.view.rows_model.set_rows(rows)
        self.form.choose(chosen)
        self.form.show_head(job)
        missing = missing_roles(job)
        self.form.show_missing(missing)
        self.delineation.show_state()
        self._show_chosen()
        self._survey()
        self.state_changed.emit()

    def _survey(self) -> None:
        """Look at the layers that were not looked at yet, in the background."""
        waiting = [entry for _, entry in entries(self.desk.session.job) if _key(entry) not in self._asked]
        if not waiting:
            return
        self._asked |= {_key(entry) for entry in waiting}

        def over(found: Any) -> None:
            if isinstance(found, Exception):
                self.desk.say_error(found)
                return
            self._found.update(zip(map(_key, waiting), found))
            self._refresh()

        self.desk.runner.work(lambda: [surveys.of_entry(entry) for entry in waiting], over)

    def _chosen_entries(self) -> list[dict[str, Any]]:
        chosen = self.form.chosen()
        return [entry for at, entry in entries(self.desk.session.job) if at in chosen]

    def _show_chosen(self) -> None:
        chosen, form = self._chosen_entries(), self.form
        found = [self._found.get(_key(entry)) for entry in chosen]
        lists = [one.fields for one in found if one is not None]
        fields = [name for name in (lists[0] if lists else ()) if all(name in one for one in lists)]
        form.papers.show_entries(chosen, fields)
        unchosen = "" if chosen else self.tr("Choose a layer in the table")
        allow(form.remove, unchosen, self.tr("Take the chosen layers out of the job; their data stay"))
        allow(
            form.tiers, self._why_no_tiers(chosen), self.tr("Say which word of which field means which tier")
        )
        no_copy = "" if self._copied_layers() else self.tr("No layer was copied, or it is not in the project")
        busy = self.tr("Copying layers") if self._copying else ""
        allow(form.refresh, busy or no_copy, self.tr("Copy layers anew as they are shown now"))
        empty = "" if self.desk.session.job.get("layers") else self.tr("The job has no layers")
        unnamed = "" if form.profile() else self.tr("Choose a profile")
        allow(form.apply, empty or unnamed, self.tr("Roles, tiers and fields as the profile names them"))
        allow(form.save_profile, empty, self.tr("Keep roles, tiers and fields for the next project"))
        allow(form.save, empty, self.tr("Write the job, with full paths, to another file"))

    def _why_no_tiers(self, chosen: Sequence[Mapping[str, Any]]) -> str:
        if len(chosen) != 1:
            return self.tr("Choose one layer in the table")
        role = roles.find(chosen[0]["role"])
        if role is None or not role.tiers or chosen[0]["role"] in (EXTENT_ROLE, REFERENCE_ROLE):
            return self.tr("This role has no tiers")
        found = self._found.get(_key(chosen[0]))
        return self.tr("The file cannot be read") if found is not None and found.problem else ""


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["source"]), entry.get("layer") or ""


def _named(place: Mapping[str, Any]) -> dict[str, str]:
    return {"source": place["source"], "layer": place.get("layer") or Path(place["source"]).stem}


def _moved(copied: sources.Copied, path: Path) -> sources.Copied:
    return sources.Copied(str(path), copied.layer, copied.fields, copied.count)


def _look(path: Path) -> list[surveys.Found]:
    is_data = path.suffix.lower() in surveys.SUFFIXES
    return surveys.of_folder(path) if path.is_dir() and not is_data else surveys.of_file(path)


def _may_be_polygons(layer: QgsVectorLayer) -> bool:
    kinds = (QgsWkbTypes.GeometryType.PolygonGeometry, QgsWkbTypes.GeometryType.UnknownGeometry)
    return layer.isValid() and layer.geometryType() in kinds


def _dropped(data: Any) -> tuple[list[str], list[Path]]:
    """Return the ids of layers of the project, and the files, in what is dragged."""
    uris = QgsMimeDataUtils.decodeUriList(data) if QgsMimeDataUtils.isUriList(data) else []
    ids = [uri.layerId for uri in uris if getattr(uri, "layerId", "")]
    return ids, [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
