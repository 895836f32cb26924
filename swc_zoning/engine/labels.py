# SPDX-License-Identifier: GPL-2.0-or-later
"""Labels of faces, proved twice: by an interior point, and by what crossing each edge changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.faces import Faces
from swc_zoning.engine.grid import PER_METRE, Floats, Ints, group
from swc_zoning.engine.messages import InvariantViolated

if TYPE_CHECKING:
    from swc_zoning.engine.arrangement import Hashes
    from swc_zoning.engine.borders import Borders

#: Rounding moves a boundary by less than this (metres): nearer points cannot tell their side.
_DOUBT = 3.0 / PER_METRE


@dataclass(frozen=True)
class Labels:
    """Rows (face, feature), sorted: the features each face lies in.

    `by_edge` counts faces too thin for a point to tell, labelled by their edges alone.
    """

    face: Ints
    feature: Ints
    by_edge: int = 0

    def sums(self, hashes: Hashes, count: int) -> Hashes:
        """Return for each of `count` faces the wrapped sum of the hashes of its features."""
        sums = np.zeros(count, np.uint64)
        if len(self.face):
            starts = np.flatnonzero(np.diff(self.face, prepend=-1))
            sums[self.face[starts]] = np.add.reduceat(hashes[self.feature], starts)
        return sums


def ask(points: Floats, polygons: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return rows (point, polygon) for every point (n, 2) inside one of the polygons (m,).

    The tree holds points, so that polygons are prepared once each.
    """
    if len(points) == 0 or len(polygons) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    polygon, point = shapely.STRtree(shapely.points(points)).query(polygons, predicate="contains_properly")
    return point, polygon


def ask_features(points: Floats, geometry: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return rows (point, feature) for every point inside a polygon or multipolygon.

    Multipolygons are asked part by part: their boxes together are far smaller than their own.
    """
    parts, owner = shapely.get_parts(geometry, return_index=True)
    point, part = ask(points, parts)
    return point, owner[part]


def settle(
    labels: Labels, borders: Borders, geometry: NDArray[Any], points: Floats, hashes: Hashes
) -> Labels:
    """Return labels that follow the rule of edges everywhere.

    labels: as points tell, sorted; points: the one asked about, by face. Raises
    InvariantViolated("labels") where points and edges disagree.
    """
    flow = borders.flow(hashes)
    doubt = _Doubt(geometry, borders)
    for asked_again in (False, True):
        wrong = contradictions(labels, borders, flow, hashes, len(points))
        if len(wrong) == 0:
            return labels
        settled, far = doubt.settle(labels, wrong, points)
        if len(far) == 0 or asked_again:
            break
        # A tile asks what is cut to it; the feature itself has the last word.
        labels = _asked_again(labels, np.unique(far[:, 1]), geometry, points)
    if len(far):
        x, y = points[far[0, 0]].tolist()
        raise InvariantViolated("labels", (x, y), count=len(far))
    wrong = contradictions(settled, borders, flow, hashes, len(points))
    if len(wrong):
        raise InvariantViolated("labels", borders.place(int(wrong[0])), count=len(wrong))
    return settled


def _asked_again(labels: Labels, features: Ints, geometry: NDArray[Any], points: Floats) -> Labels:
    """Return labels in which every point is asked anew about the given features."""
    face, number = ask_features(points, geometry[features])
    keep = ~np.isin(labels.feature, features)
    return _sorted(
        np.concatenate([labels.face[keep], face]), np.concatenate([labels.feature[keep], features[number]])
    )


def _sorted(face: Ints, feature: Ints, by_edge: int = 0) -> Labels:
    order = np.lexsort((feature, face))
    return Labels(face[order], feature[order], by_edge)


def contradictions(labels: Labels, borders: Borders, flow: Hashes, hashes: Hashes, faces: int) -> Ints:
    """Return the arcs across which labels do not change by what the arc carries."""
    sums = np.append(labels.sums(hashes, faces), np.uint64(0))  # the last one is the outside
    return np.flatnonzero(sums[borders.left] - sums[borders.right] != flow)


def interior_points(faces: Faces, x: Ints, y: Ints) -> Floats:
    """Return a point inside each face (n, 2), metres: the middle of its widest stretch at half height.

    The line of sight runs half a unit off the grid, so it meets no vertex.
    """
    if len(faces) == 0:
        return np.empty((0, 2))
    px, py = x[faces.nodes], y[faces.nodes]
    first = faces.ring_offsets[faces.face_offsets]
    low, high = np.minimum.reduceat(py, first[:-1]), np.maximum.reduceat(py, first[:-1])
    sight = (low + high - 1) // 2  # and a half
    face = np.repeat(np.arange(len(faces)), np.diff(first))
    above = py > sight[face]
    crosses = above[1:] != above[:-1]
    crosses[faces.ring_offsets[1:-1] - 1] = False
    at = np.flatnonzero(crosses)
    owner = face[at]
    rise = (py[at + 1] - py[at]).astype(float)
    share = (sight[owner] - py[at] + 0.5) / rise
    base = px[first[:-1]]
    where = (px[at] - base[owner]) + share * (px[at + 1] - px[at])
    order = np.lexsort((where, owner))
    enter, leave = where[order[0::2]], where[order[1::2]]
    owner = owner[order[0::2]]
    widest = np.lexsort((leave - enter, owner))
    last = widest[np.append(np.flatnonzero(np.diff(owner[widest])), len(widest) - 1)]
    centre = (enter[last] + leave[last]) / 2 + base
    return np.column_stack([centre / PER_METRE, (sight + 0.5) / PER_METRE])


class _Doubt:
    """Faces beside contradicting arcs: decided by their edges, then held against their points."""

    def __init__(self, geometry: NDArray[Any], borders: Borders) -> None:
        self.geometry, self.borders = geometry, borders

    def settle(self, labels: Labels, wrong: Ints, points: Floats) -> tuple[Labels, Ints]:
        """Return labels in which the faces beside the `wrong` arcs follow from those around them.

        And the rows (face, feature) in which a point clear of the boundary says otherwise.
        """
        beside = np.unique(np.concatenate([self.borders.left[wrong], self.borders.right[wrong]]))
        beside = beside[beside >= 0]
        known = self._from_around(labels, beside)
        by_point = _sets(labels, set(beside.tolist()))
        differing = [(face, f) for face in beside.tolist() for f in known[face] ^ by_point[face]]
        far = self._far(points, np.array(differing, np.int64).reshape(-1, 2))
        keep = ~np.isin(labels.face, beside)
        rows = [(face, feature) for face in beside.tolist() for feature in known[face]]
        face, feature = np.array(rows, np.int64).reshape(-1, 2).T
        face = np.concatenate([labels.face[keep], face])
        feature = np.concatenate([labels.feature[keep], feature])
        return _sorted(face, feature, len(beside)), far

    def _far(self, points: Floats, differing: Ints) -> Ints:
        """Return those rows (face, feature) whose point is clear of the boundary of the feature."""
        order, starts = group(differing[:, 1])
        found = [differing[:0]]
        for rows in np.split(differing[order], starts[1:]):
            if len(rows) == 0:
                continue
            border = shapely.boundary(self.geometry[rows[0, 1]])
            shapely.prepare(border)
            found.append(rows[~shapely.dwithin(border, shapely.points(points[rows[:, 0]]), _DOUBT)])
        return np.concatenate(found)

    def _from_around(self, labels: Labels, beside: Ints) -> dict[int, frozenset[int]]:
        """Return the features of the faces in `beside`, stepping in across edges from all others."""
        border: dict[int, list[tuple[int, int, int]]] = {}
        for side, (inner, outer) in ((1, (self.borders.left, self.borders.right)), (-1, self._mirrored())):
            for arc in np.flatnonzero(np.isin(inner, beside)).tolist():
                border.setdefault(int(outer[arc]), []).append((int(inner[arc]), arc, side))
        known = _sets(labels, set(border) - set(beside.tolist()) - {-1})
        if -1 in border:
            known[-1] = frozenset()
        waiting = list(known)
        while waiting:
            beyond = waiting.pop()
            for face, arc, side in border.get(beyond, []):
                if face not in known:
                    known[face] = self._across(known[beyond], arc, side)
                    waiting.append(face)
        return known

    def _mirrored(self) -> tuple[Ints, Ints]:
        return self.borders.right, self.borders.left

    def _across(self, features: frozenset[int], arc: int, side: int) -> frozenset[int]:
        """Return the features on one side of an arc (1 left, -1 right), given those on the other."""
        _, carrier, sign = self.borders.carriers(np.array([arc]))
        counts = dict.fromkeys(features, 1)
        for feature, toward in zip(carrier.tolist(), (sign * side).tolist()):
            counts[feature] = counts.get(feature, 0) + toward
        return frozenset(feature for feature, count in counts.items() if count > 0)


def _sets(labels: Labels, faces: set[int]) -> dict[int, frozenset[int]]:
    """Return the features of each of the given faces."""
    wanted = np.isin(labels.face, list(faces))
    sets: dict[int, set[int]] = {face: set() for face in faces}
    for face, feature in zip(labels.face[wanted].tolist(), labels.feature[wanted].tolist()):
        sets[face].add(feature)
    return {face: frozenset(features) for face, features in sets.items()}
