# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether each layer lies where its CRS says, and which other reading of its numbers would be true.

A *reading* is a CRS and an order of axes. It is scored by where it puts the layer relative to a
*frame*: the job's reference, else its extent if that is itself sound, else where the other layers
agree to be, else (no frame) the area of use of the CRS. Only samples and boxes are looked at, so
the number of features hardly counts. The doctor proposes; it never changes a coordinate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from swc_zoning.engine import boundary_shift, georef
from swc_zoning.engine.crs import templates
from swc_zoning.engine.messages import Fix

#: float64[n, 2] and (west, south, east, north).
Points = NDArray[np.float64]
Bounds = georef.Bounds

#: Boxes that share so much of the smaller one are in the same place.
FITS = 0.5
#: A layer nearer to its frame than this may be a neighbour; only farther it is proved to be misread (m).
FAR_M = 20_000.0
#: Boxes that share so much of what both cover may have one outline.
_ALIKE = 0.3
#: Two readings nearer than this are one (m).
_SAME_M = 1.0
#: A transverse Mercator zone reaches so far from its meridian in practice (degrees).
_REACH = {3: 1.6, 6: 3.1}
#: Nobody keeps data farther from the central meridian than this (degrees).
_FARTHEST = 6.0
_SAMPLE_FEATURES, _SAMPLE_POINTS = 1000, 2000
_GOLDEN = (5**0.5 - 1) / 2
#: Web Mercator numbers of China (m).
_WEB_EAST, _WEB_NORTH = (8.1e6, 15.1e6), (3e5, 7.3e6)
_LONGITUDES, _LATITUDES = (73.0, 135.1), (3.0, 54.0)
_GEOD = Geod(ellps="GRS80")
_DEFAULT_DATUM = "EPSG:4490"


@dataclass(frozen=True)
class Subject:
    """A layer as the doctor sees it: `geometry` polygons in `crs` as they are to be used.

    `entry` is the layer's place in the job (None: the extent), `confirmed` whether the job itself
    names the CRS, `swapped` whether it swaps the axes, `fixable` whether fixes apply to the entry.
    """

    entry: int | None
    label: str
    crs: CRS | None
    geometry: NDArray[Any]
    confirmed: bool = False
    swapped: bool = False
    fixable: bool = True
    extent: bool = False

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """Return the box of each feature."""
        return shapely.bounds(self.geometry)

    @cached_property
    def bounds(self) -> Bounds | None:
        """Return the box of all coordinates, None where there are none."""
        if not len(self.geometry):
            return None
        west, south = self.boxes.min(axis=0)[:2].tolist()
        east, north = self.boxes.max(axis=0)[2:].tolist()
        return west, south, east, north

    @cached_property
    def points(self) -> Points:
        """Return some vertices of features spread over the layer."""
        points = shapely.get_coordinates(self.geometry[_spread(len(self.geometry), _SAMPLE_FEATURES)])
        return points[_spread(len(points), _SAMPLE_POINTS)]

    @cached_property
    def outline(self) -> boundary_shift.Outline | None:
        """Return the boundaries of the layer, None where there are too many."""
        return boundary_shift.Outline.of(self.geometry, lambda points: _lonlat(self.crs, points))

    @property
    def rim(self) -> Points:
        """Return some places on the rim of the layer, in degrees."""
        return _lonlat(self.crs, boundary_shift.rim(self.geometry, self.boxes))

    @cached_property
    def box(self) -> Bounds | None:
        """Return the longitudes and latitudes most of the layer lies in as it is declared."""
        return None if self.crs is None or self.bounds is None else _box(_lonlat(self.crs, self.points))

    @cached_property
    def readable(self) -> bool:
        """Return whether the numbers can be true in the declared CRS; nothing can always be."""
        if self.crs is None or self.box is None:
            return self.crs is not None and self.bounds is None
        bad = georef.degrees_problem(self.crs, self.bounds) or georef.zone_problem(self.crs, self.bounds)
        return not bad

    @cached_property
    def possible(self) -> bool:
        """Return whether the layer is readable and not far from the area of use of its CRS."""
        return self.readable and not (self.box and georef.outside_area_of_use(self.crs, self.box))


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` of the numbers below `count`, without a period that rows of data may have."""
    if count <= most:
        return np.arange(count)
    return np.unique((np.arange(most) * _GOLDEN % 1.0 * count).astype(np.int64))


@dataclass(frozen=True)
class Diagnosis:
    """A finding about one subject: code and facts of the catalogue, and the fixes."""

    code: str
    facts: dict[str, Any]
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class Frame:
    """Where layers should be: degrees, and the name to tell it by; one layer's word alone is not `firm`."""

    label: str
    box: Bounds
    firm: bool = True


@dataclass(frozen=True)
class Reading:
    """One way to take a layer's numbers, where it puts them and how well that fits the frame."""

    crs: str
    swap: bool
    box: Bounds
    share: float = 0.0
    offset_m: float = 0.0

    def __str__(self) -> str:
        return self.crs + (" + axis_order=swap" if self.swap else "")

    def as_fact(self) -> dict[str, Any]:
        """Return this reading as plain data."""
        told = {"crs": self.crs, "axis_order": "swap" if self.swap else "as_is"}
        return {**told, "share": round(self.share, 3), "offset_m": round(self.offset_m, 1)}


def examine(
    subjects: Sequence[Subject], reference: Subject | None = None, ours: CRS | None = None
) -> list[list[Diagnosis]]:
    """Return what is to be said of each subject, in their order, and last of the reference if there is one.

    `reference` is a boundary known to be right, `ours` the working CRS the job names.
    """
    crss = [one.crs for one in [*subjects, reference] if one is not None] + [ours]
    known = {georef.text_of(crs): crs for crs in crss if crs is not None}
    ward = _Ward(list(subjects), reference, ours, {**known, **_templates()})
    found = [list(_examined(ward, subject)) for subject in subjects]
    if reference is not None and reference.bounds is not None:
        wrong = _misread(ward, reference, None)
        found.append([wrong] if wrong is not None else [])
    return found


def is_template(crs: CRS) -> bool:
    """Return whether `crs` is one of the shipped approximations, as it was shipped."""
    return any(crs == template for template in _templates().values())


@lru_cache(maxsize=1)
def _templates() -> dict[str, CRS]:
    return {row["definition"]: CRS.from_user_input(row["definition"]) for row in templates()}


def zones_differ(crs: CRS, working: CRS) -> bool:
    """Return whether a layer comes from another Gauss-Krueger zone of the working CRS's own datum."""
    zones = georef.gauss_krueger(crs), georef.gauss_krueger(working)
    return None not in zones and zones[0] != zones[1] and crs.geodetic_crs == working.geodetic_crs


# --- one layer -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ward:
    """All layers of a job together."""

    subjects: list[Subject]
    reference: Subject | None
    ours: CRS | None
    known: dict[str, CRS]
    shifts: dict[int, boundary_shift.Shift | None] = field(default_factory=dict)

    def frame(self, subject: Subject) -> Frame | None:
        """Return where `subject` should lie by what the others say."""
        if self.reference is not None and self.reference.box is not None and self.reference.possible:
            return Frame(self.reference.label, self.reference.box)
        extent = self.sound_extent
        if extent is not None and extent is not subject:
            return Frame(extent.label, extent.box)
        agreed = (
            None
            if extent is subject
            else _consensus([one for one in self.subjects if one is not subject and not one.extent], 1)
        )
        # Where a sound label of the extent is outvoted, both sides may be wrong.
        outvoted = any(one.extent and one.possible for one in self.subjects)
        return replace(agreed, firm=agreed.firm and not outvoted) if agreed else None

    def boundary(self, subject: Subject) -> Subject | None:
        """Return the layer whose outline `subject` may follow."""
        frame = self.reference or self.sound_extent
        return None if frame is subject else frame

    def shift(self, subject: Subject) -> boundary_shift.Shift | None:
        """Return how the outline of `subject` is off the boundary, where the two are alike enough to say."""
        if id(subject) not in self.shifts:
            self.shifts[id(subject)] = self._measured(subject)
        return self.shifts[id(subject)]

    def _measured(self, subject: Subject) -> boundary_shift.Shift | None:
        frame = self.boundary(subject)
        if frame is None or not subject.possible or not _alike(subject, frame):
            return None
        if frame.outline is None:
            return None
        return boundary_shift.measure(subject.outline or subject.rim, frame.outline, frame is self.reference)

    @cached_property
    def sound_extent(self) -> Subject | None:
        """Return the extent, unless it cannot be true or most layers agree to lie elsewhere."""
        extent = next((one for one in self.subjects if one.extent), None)
        if extent is None or not extent.possible:
            return None
        agreed = _consensus([one for one in self.subjects if one is not extent], 2)
        return None if agreed and _fit(agreed.box, extent.box)[0] == 0.0 else extent


def _examined(ward: _Ward, subject: Subject) -> Iterator[Diagnosis]:
    if subject.bounds is None:
        return
    frame = ward.frame(subject)
    found = _misread(ward, subject, frame)
    if found is not None:
        yield found
        return
    yield from _zone_notes(subject)
    yield from _shifted(ward, subject)


def _misread(ward: _Ward, subject: Subject, frame: Frame | None) -> Diagnosis | None:
    """Return why the declared reading cannot stand, if so."""
    if subject.crs is None:
        return Diagnosis(
            "", _evidence(frame, None, _fitting(ward, subject, frame)), _fixes(ward, subject, frame)
        )
    mixed = georef.mixed_zones(subject.crs, subject.bounds)
    if mixed:
        return Diagnosis("intake.crs_zones_mixed", {"crs": georef.name_of(subject.crs), **mixed})
    if not subject.readable:
        return _impossible(ward, subject, frame)
    return (
        _elsewhere(ward, subject, frame)
        or _local_plane(ward, subject, frame)
        or _ambiguous(ward, subject, frame)
    )


def _impossible(ward: _Ward, subject: Subject, frame: Frame | None) -> Diagnosis:
    """Return the finding of numbers that cannot be in their CRS, with the readings that can."""
    fitting = _fitting(ward, subject, frame)
    facts = {**_told(subject), **_evidence(frame, None, fitting)}
    fixes = _fixed_by(subject, fitting, sure=_proved(subject, fitting))
    zone = georef.zone_problem(subject.crs, subject.bounds)
    if _only_axes(subject, fitting):
        return Diagnosis("intake.crs_axes", facts, fixes)
    if zone is None:
        return Diagnosis("intake.crs_units", facts, fixes)
    facts["proposal"] = facts["proposal"] if fitting else zone["proposal"]
    return Diagnosis(
        "intake.crs_zone", {**facts, "found": zone["found"], "declared": zone["declared"]}, fixes
    )


def _elsewhere(ward: _Ward, subject: Subject, frame: Frame | None) -> Diagnosis | None:
    """Return the finding of a layer far from its frame, or area of use, and how else it may be read."""
    outside = georef.outside_area_of_use(subject.crs, subject.box)
    told = frame or (_area_of_use(subject.crs) if outside else None)
    share, offset = _fit(told.box, subject.box) if told else (1.0, 0.0)
    if share > 0.0 or offset < _SAME_M:
        return None
    fitting = _fitting(ward, subject, frame)
    declared = Reading(georef.name_of(subject.crs), False, subject.box, share, offset)
    facts = {**_told(subject), **_evidence(told, declared, fitting)}
    fixes = _fixed_by(subject, fitting, sure=_proved(subject, fitting) and told.firm)
    if fitting and offset > FAR_M:
        code = "intake.crs_axes" if _only_axes(subject, fitting) else "intake.crs_elsewhere"
        return Diagnosis(code, facts, fixes)
    return Diagnosis("intake.crs_area", facts, fixes) if outside else None


def _local_plane(ward: _Ward, subject: Subject, frame: Frame | None) -> Diagnosis | None:
    """Return the finding of a plane that is in no registry and that nobody confirmed."""
    crs = subject.crs
    if (
        subject.confirmed
        or not crs.is_projected
        or crs == ward.ours
        or crs.to_authority(min_confidence=georef.CONFIDENCE)
    ):
        return None
    matches = crs.list_authority(min_confidence=20)
    best = max(matches, key=lambda match: match.confidence, default=None)
    declared = Reading(crs.to_wkt(), False, subject.box, *(_fit(frame.box, subject.box) if frame else ()))
    fitting = [one for one in _fitting(ward, subject, frame) if frame]
    facts = {
        **_told(subject),
        **_evidence(frame, None, fitting),
        "name": crs.name,
        "count": len(matches),
        "match": f"{best.auth_name}:{best.code}" if best else "—",
        "confidence": best.confidence if best else 0,
        "share": round(100 * declared.share) if frame else "—",
    }
    return Diagnosis("intake.crs_match", facts, _fixed_by(subject, [declared, *fitting], sure=False))


def _ambiguous(ward: _Ward, subject: Subject, frame: Frame | None) -> Diagnosis | None:
    """Return the finding of numbers that fit the frame both as declared and in the CRS of the job."""
    ours = ward.ours if ward.ours is not None else _frame_crs(ward)
    if frame is None or subject.confirmed or ours is None or not subject.crs.is_projected:
        return None
    if not ours.is_projected or ours == subject.crs or _fit(frame.box, subject.box)[0] < FITS:
        return None
    other = _read(georef.text_of(ours), ours, subject.points, False)
    if other is None or _fit(frame.box, other.box)[0] < FITS:
        return None
    apart = _apart_m(_lonlat(ours, subject.points), _lonlat(subject.crs, subject.points))
    if apart < _SAME_M:
        return None
    both = [
        _scored(one, frame)
        for one in (_read(georef.text_of(subject.crs), subject.crs, subject.points, False), other)
    ]
    facts = {
        **_told(subject),
        **_evidence(frame, None, both),
        "ours": georef.name_of(ours),
        "apart_m": round(apart, 1),
    }
    return Diagnosis("intake.crs_ambiguous", facts, _fixed_by(subject, both, sure=False))


def _frame_crs(ward: _Ward) -> CRS | None:
    extent = ward.sound_extent
    return extent.crs if extent is not None else None


def _zone_notes(subject: Subject) -> Iterator[Diagnosis]:
    """Tell a layer that reaches beyond its Gauss-Krueger zone."""
    zone = georef.gauss_krueger(subject.crs)
    if zone is None or subject.box is None:
        return
    width = 6 if georef.is_six_degree(subject.crs) else 3
    reach = max(abs(subject.box[0] - zone[0]), abs(subject.box[2] - zone[0]))
    if reach > _REACH[width]:
        scale = (np.radians(reach) * np.cos(np.radians(subject.box[1]))) ** 2 / 2 * 1e6
        facts = {"crs": georef.name_of(subject.crs), "meridian": zone[0], "width": width}
        yield Diagnosis("intake.crs_across_zones", {**facts, "reach": round(reach, 2), "ppm": round(scale)})


def _alike(subject: Subject, frame: Subject) -> bool:
    """Return whether two layers fill much the same box, so that their outlines may be one line."""
    if subject.box is None or frame.box is None:
        return False
    first, second = subject.box, frame.box
    common = [max(min(first[i + 2], second[i + 2]) - max(first[i], second[i]), 0.0) for i in (0, 1)]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    shared = common[0] * common[1]
    return shared > _ALIKE * (sum(areas) - shared)


# --- frames and fits -------------------------------------------------------------------------------


def _consensus(others: Iterable[Subject], least: int) -> Frame | None:
    """Return where at least `least` layers, and most of them, lie together."""
    sound = [one for one in others if one.possible and one.box is not None]
    groups = [[one for one in sound if _fit(centre.box, one.box)[0] > 0.0] for centre in sound]
    group = max(groups, key=len, default=[])
    if len(group) < least or 2 * len(group) <= len(sound):
        return None
    table = np.array([one.box for one in group])
    west, south, east, north = [*table[:, :2].min(axis=0).tolist(), *table[:, 2:].max(axis=0).tolist()]
    label = ", ".join(sorted({one.label for one in group})[:3])
    return Frame(label, (west, south, east, north), firm=len(group) > 1)


def _fit(frame: Bounds, box: Bounds) -> tuple[float, float]:
    """Return the shared part of the smaller of two boxes (0 to 1) and the gap between them in metres."""
    gaps = [max(frame[i] - box[i + 2], box[i] - frame[i + 2], 0.0) for i in (0, 1)]
    if any(gaps):
        latitude = np.radians((frame[1] + frame[3]) / 2)
        return 0.0, float(np.hypot(gaps[0] * np.cos(latitude), gaps[1]) * georef.METRES_PER_DEGREE)
    sides = [min(frame[i + 2], box[i + 2]) - max(frame[i], box[i]) for i in (0, 1)]
    smaller = [max(min(frame[i + 2] - frame[i], box[i + 2] - box[i]), 1e-12) for i in (0, 1)]
    return float(min(sides[0] / smaller[0], 1.0) * min(sides[1] / smaller[1], 1.0)), 0.0


def _box(lonlat: Points) -> Bounds | None:
    """Return the box of nearly all points: strays of less than two in a hundred do not count."""
    good = lonlat[np.isfinite(lonlat).all(axis=1)]
    if 2 * len(good) < len(lonlat) or not len(good):
        return None
    west, south = np.quantile(good, 0.02, axis=0).tolist()
    east, north = np.quantile(good, 0.98, axis=0).tolist()
    return west, south, east, north


def _lonlat(crs: CRS, points: Points) -> Points:
    """Return longitudes and latitudes on the datum of `crs`; inf where there are none."""
    if crs.is_geographic:
        return points
    try:
        there = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    except ProjError:
        return np.full(points.shape, np.inf)
    return np.column_stack(there.transform(points[:, 0], points[:, 1], errcheck=False))


def _area_of_use(crs: CRS) -> Frame:
    area = crs.area_of_use
    return Frame(area.name[:60], (area.west, area.south, area.east, area.north))


def _apart_m(first: Points, second: Points) -> float:
    return float(np.median(_GEOD.inv(*first.T, *second.T)[2]))


# --- readings --------------------------------------------------------------------------------------


def _fitting(ward: _Ward, subject: Subject, frame: Frame | None) -> list[Reading]:
    """Return the readings other than the declared one that put the subject where it should be, best first."""
    datum = subject.crs.geodetic_crs if subject.crs is not None else CRS.from_user_input(_DEFAULT_DATUM)
    declared = georef.text_of(subject.crs) if subject.crs is not None else ""
    found: dict[tuple[str, bool], Reading] = {}
    for swap in (False, True):
        points = subject.points[:, ::-1] if swap else subject.points
        for reading in _readings(points, swap, datum, frame, subject.crs):
            found.setdefault((reading.crs, swap), reading)
        for name, crs in ward.known.items() if frame else ():
            reading = _read(name, crs, points, swap)
            if reading is not None and not _told_already(reading, found.values()):
                found.setdefault((name, swap), reading)
    found.pop((declared, False), None)
    scored = [_scored(one, frame) for one in found.values()]
    good = [one for one in scored if frame is None or one.share >= FITS]
    # A label that is right once the axes are is not in question.
    good = [one for one in good if (one.crs, one.swap) == (declared, True)] or good
    return sorted(good, key=lambda one: (-one.share, one.swap, one.crs))


def _told_already(reading: Reading, others: Iterable[Reading]) -> bool:
    """Return whether another reading says the same place: the same projection by another name."""
    return any(reading.swap == one.swap and np.allclose(reading.box, one.box, atol=1e-5) for one in others)


def _scored(reading: Reading, frame: Frame | None) -> Reading:
    share, offset = _fit(frame.box, reading.box) if frame else (1.0, 0.0)
    return Reading(reading.crs, reading.swap, reading.box, share, offset)


def _read(name: str, crs: CRS, points: Points, swap: bool) -> Reading | None:
    """Return the reading of points as `crs`, if that is possible at all."""
    west, south, east, north = *points.min(axis=0).tolist(), *points.max(axis=0).tolist()
    if georef.degrees_problem(crs, (west, south, east, north)):
        return None
    box = _box(_lonlat(crs, points))
    return Reading(name, swap, box) if box is not None and _on_earth(box) else None


def _on_earth(box: Bounds) -> bool:
    return box[0] >= -180 and box[2] <= 360 and box[1] >= -90 and box[3] <= 90


def _readings(
    points: Points, swap: bool, datum: CRS, frame: Frame | None, declared: CRS | None
) -> Iterator[Reading]:
    """Yield the readings of points (axes already in the order they are read in) that are usual in China."""
    east, north = np.median(points, axis=0).tolist()
    if abs(east) <= 180.0 and abs(north) <= 90.0:
        within = _LONGITUDES[0] <= east <= _LONGITUDES[1] and _LATITUDES[0] <= north <= _LATITUDES[1]
        if within or frame is not None:
            yield Reading(georef.text_of(datum), swap, _box(points))
        return
    if _WEB_EAST[0] <= east <= _WEB_EAST[1] and _WEB_NORTH[0] <= north <= _WEB_NORTH[1]:
        yield from filter(None, [_read("EPSG:3857", CRS.from_epsg(3857), points, swap)])
    yield from _zone_readings(points, swap, datum, frame, declared)


def _zone_readings(
    points: Points, swap: bool, datum: CRS, frame: Frame | None, declared: CRS | None
) -> Iterator[Reading]:
    """Yield the Gauss-Krueger (and on WGS 84 the UTM) zones that points may be in."""
    zone = int(max(float(np.median(points[:, 0])), 0.0) // 1e6)
    scales = [1.0, 0.9996] if datum.name == "WGS 84" and zone == 0 and frame is not None else [1.0]
    for scale in scales:
        box = _box(_about_meridian(points - (zone * 1e6 + 500_000.0, 0.0), datum, scale))
        if box is None or max(abs(box[0]), abs(box[2])) > _FARTHEST or not 0 < box[1] < 60:
            continue
        for meridian in georef.zone_meridians(zone):
            moved = (box[0] + meridian, box[1], box[2] + meridian, box[3])
            if _allowed(moved, box, zone, meridian, frame, declared):
                name = _zone_name(datum, meridian, zone, scale, max(abs(box[0]), abs(box[2])))
                yield from [Reading(name, swap, moved)] if name else []


def _allowed(
    moved: Bounds, box: Bounds, zone: int, meridian: float, frame: Frame | None, declared: CRS | None
) -> bool:
    """Return whether a zone need be considered: it fits the frame; without one the numbers must name it."""
    if frame is not None:
        return _fit(frame.box, moved)[0] >= FITS
    known = georef.gauss_krueger(declared) if declared is not None else None
    near = max(abs(box[0]), abs(box[2])) <= _REACH[6]
    return near and (zone > 0 or (known is not None and known[0] == meridian))


def _about_meridian(points: Points, datum: CRS, scale: float) -> Points:
    """Return degrees east of the meridian and latitudes of transverse Mercator points about it."""
    ellipsoid = datum.ellipsoid
    plane = CRS.from_proj4(
        f"+proj=tmerc +lat_0=0 +lon_0=0 +k={scale} +x_0=0 +y_0=0 "
        f"+a={ellipsoid.semi_major_metre!r} +rf={ellipsoid.inverse_flattening!r} +units=m"
    )
    return _lonlat(plane, points)


def _zone_name(datum: CRS, meridian: float, zone: int, scale: float, reach: float) -> str:
    """Return the name of a zone's CRS on a datum, or "" where there is none."""
    if scale != 1.0:
        return f"EPSG:{32600 + round((meridian + 183) / 6)}" if (meridian + 3) % 6 == 0 else ""
    # WGS 84 has no Gauss-Krueger zones in the registry; in China such numbers are on CGCS2000.
    name = CRS.from_user_input(_DEFAULT_DATUM).name if datum.name == "WGS 84" else datum.name
    names = georef.zone_names(name, meridian, zone * 1e6 + 500_000.0)
    six = [name for name in names if georef.is_six_degree(CRS.from_user_input(name))]
    three = [name for name in names if name not in six]
    preferred = three or six if reach <= _REACH[3] else six or three
    return preferred[0] if preferred else ""


# --- facts and fixes -------------------------------------------------------------------------------


def _told(subject: Subject) -> dict[str, Any]:
    where = " ".join(f"{value:.6g}" for value in subject.bounds)
    return {"crs": georef.name_of(subject.crs), "bounds": where}


def _evidence(frame: Frame | None, declared: Reading | None, fitting: list[Reading]) -> dict[str, Any]:
    """Return the numbers: how far the declared reading is off, and what each fitting one gives."""

    def said(one: Reading) -> str:
        return f"{_short(str(one))}: {100 * one.share:.0f} %, {one.offset_m / 1000:.1f} km"

    return {
        "frame": frame.label if frame else "—",
        "offset_km": round(declared.offset_m / 1000, 1) if declared else "—",
        "proposal": ", ".join(_short(str(one)) for one in fitting) or "—",
        "readings": "; ".join(map(said, fitting)) if fitting and frame else "—",
        "candidates": [one.as_fact() for one in fitting],
    }


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _proved(subject: Subject, fitting: list[Reading]) -> bool:
    """Return whether exactly one reading fits, and it does not claim another datum than the label."""
    if len(fitting) != 1 or fitting[0].crs in _templates():
        return False
    crs = CRS.from_user_input(fitting[0].crs)
    return crs.geodetic_crs.name == subject.crs.geodetic_crs.name


def _only_axes(subject: Subject, fitting: list[Reading]) -> bool:
    """Return whether nothing but the order of the axes is wrong."""
    return [(one.crs, one.swap) for one in fitting] == [(georef.text_of(subject.crs), True)]


def _fixes(ward: _Ward, subject: Subject, frame: Frame | None) -> tuple[Fix, ...]:
    return _fixed_by(subject, _fitting(ward, subject, frame), sure=False)


def _fixed_by(subject: Subject, readings: list[Reading], sure: bool) -> tuple[Fix, ...]:
    if not subject.fixable:
        return ()
    return tuple(Fix(subject.entry, _change(subject, one), sure) for one in readings)


def _change(subject: Subject, reading: Reading) -> dict[str, Any]:
    """Return the keys of the layer's entry that make `reading` of it."""
    change: dict[str, Any] = {}
    if subject.crs is None or reading.crs != georef.text_of(subject.crs) or not reading.swap:
        change["crs"] = reading.crs
    if reading.swap:
        change["axis_order"] = "as_is" if subject.swapped else "swap"
    return change


# --- offsets of web maps and of old datums ---------------------------------------------------------


def _shifted(ward: _Ward, subject: Subject) -> Iterator[Diagnosis]:
    """Tell an offset of the layer's outline from the boundary it should follow, or of the extent from it."""
    measured = [(subject.label, ward.shift(subject), False)]
    if subject is ward.sound_extent:
        measured += [(one.label, ward.shift(one), True) for one in ward.subjects if one is not subject]
    for label, shift, of_frame in measured:
        if shift is not None and shift.kind != "none" and shift.of_frame == of_frame:
            frame = label if of_frame else ward.boundary(subject).label
            yield _told_shift(subject, frame, shift)
            return


def _told_shift(subject: Subject, frame: str, shift: boundary_shift.Shift) -> Diagnosis:
    facts = {"frame": frame, "crs": georef.name_of(subject.crs), **shift.facts()}
    if shift.kind == "constant":
        return Diagnosis("intake.shift_datum", facts)
    fixes = (Fix(subject.entry, {"shift": shift.kind}),) if subject.fixable else ()
    return Diagnosis(f"intake.shift_{shift.kind}", facts, fixes)
