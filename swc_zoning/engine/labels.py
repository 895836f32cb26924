# SPDX-License-Identifier: GPL-2.0-or-later
"""Labels of faces, proved twice: by an interior point, and by what crossing each edge changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.faces import Arcs, Faces
from swc_zoning.engine.grid import PER_METRE, Floats, Ints, group, to_metres
from swc_zoning.engine.messages import InvariantViolated
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.tasks import Executor

if TYPE_CHECKING:
    from swc_zoning.engine.arrangement import Edges, Hashes

#: Rounding moves a boundary by less than this (metres): nearer points cannot tell their side.
_DOUBT = 3.0 / PER_METRE
#: Vertices of the polygons one task asks about.
_PER_TASK = 400_000


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
            _, starts = group(self.face)
            sums[self.face[starts]] = np.add.reduceat(hashes[self.feature], starts)
        return sums


def label_faces(
    geometry: NDArray[Any],
    x: Ints,
    y: Ints,
    edges: Edges,
    arcs: Arcs,
    faces: Faces,
    hashes: Hashes,
    executor: Executor,
    progress: Progress,
) -> Labels:
    """Return the labels of all faces.

    Raises InvariantViolated("labels") where points and edges disagree.
    """
    points = interior_points(faces, x, y)
    labels = _sorted(*_within(points, geometry, executor, progress))
    flow = edges.walking_flow()[arcs.first_edge]
    wrong = _contradictions(labels, faces, flow, hashes)
    if len(wrong) == 0:
        return labels
    labels = _Doubt(geometry, x, y, edges, arcs, faces).settle(labels, wrong, points)
    wrong = _contradictions(labels, faces, flow, hashes)
    if len(wrong):
        node = arcs.nodes[arcs.offsets[wrong[0]]]
        raise InvariantViolated(
            "labels", (float(to_metres(x[node])), float(to_metres(y[node]))), count=len(wrong)
        )
    return labels


def _sorted(face: Ints, feature: Ints, by_edge: int = 0) -> Labels:
    order = np.lexsort((feature, face))
    return Labels(face[order], feature[order], by_edge)


def _contradictions(labels: Labels, faces: Faces, flow: Hashes, hashes: Hashes) -> Ints:
    """Return the arcs across which labels do not change by what the arc carries."""
    sums = np.append(labels.sums(hashes, len(faces)), np.uint64(0))  # the last one is the outside
    left, right = faces.left[0::2], faces.left[1::2]
    return np.flatnonzero(sums[left] - sums[right] != flow)


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


def _within(
    points: Floats, geometry: NDArray[Any], executor: Executor, progress: Progress
) -> tuple[Ints, Ints]:
    """Return rows (point, feature) for every point inside a feature."""
    tasks = _tasks(points, geometry, executor)
    found: list[tuple[Ints, Ints]] = []
    for done, rows in enumerate(executor.map(_ask, tasks), start=1):
        found.append(rows)
        progress.advance(done / len(tasks))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    face, feature = (np.concatenate(column) for column in zip(*found))
    return face, feature


def _tasks(points: Floats, geometry: NDArray[Any], executor: Executor) -> list[tuple[Any, ...]]:
    """Cut the features into tasks of neighbours, each with the points near them."""
    if len(points) == 0 or len(geometry) == 0:
        return []
    if executor.workers == 1:
        return [(np.arange(len(points)), points, np.arange(len(geometry)), geometry)]
    bounds = shapely.bounds(geometry)
    size = (np.nanmax(bounds[:, 2:], axis=0) - np.nanmin(bounds[:, :2], axis=0)).max() / 16 or 1.0
    column, row = np.nan_to_num(bounds[:, :2] // size).T
    order = np.lexsort((column, row))
    weight = np.cumsum(shapely.get_num_coordinates(geometry[order]))
    tasks = []
    for features in np.split(order, np.flatnonzero(np.diff(weight // _PER_TASK)) + 1):
        west, south, east, north = shapely.total_bounds(geometry[features])
        near = np.flatnonzero(
            (points[:, 0] >= west)
            & (points[:, 0] <= east)
            & (points[:, 1] >= south)
            & (points[:, 1] <= north)
        )
        tasks.append((near, points[near], features, geometry[features]))
    return tasks


def _ask(task: tuple[Any, ...]) -> tuple[Ints, Ints]:
    """Return rows (point, feature): the tree holds points, so that polygons are prepared once each.

    Multipolygons are asked part by part: their boxes together are far smaller than their own.
    """
    point, xy, feature, geometry = task
    parts, owner = shapely.get_parts(geometry, return_index=True)
    part, inside = shapely.STRtree(shapely.points(xy)).query(parts, predicate="contains_properly")
    return point[inside], feature[owner[part]]


class _Doubt:
    """Faces beside contradicting arcs: decided by their edges, then held against their points."""

    def __init__(
        self, geometry: NDArray[Any], x: Ints, y: Ints, edges: Edges, arcs: Arcs, faces: Faces
    ) -> None:
        self.geometry, self.x, self.y = geometry, x, y
        self.edges, self.arcs, self.faces = edges, arcs, faces

    def settle(self, labels: Labels, wrong: Ints, points: Floats) -> Labels:
        """Return labels in which the faces beside the `wrong` arcs follow from those around them.

        Raises InvariantViolated("labels") where a point clear of the boundary says otherwise.
        """
        beside = np.unique(self.faces.left[np.concatenate([2 * wrong, 2 * wrong + 1])])
        beside = beside[beside >= 0]
        known = self._from_around(labels, beside)
        by_point = _sets(labels, set(beside.tolist()))
        differing = [(face, f) for face in beside.tolist() for f in known[face] ^ by_point[face]]
        self._hold_against(points, np.array(differing, np.int64).reshape(-1, 2))
        keep = ~np.isin(labels.face, beside)
        rows = [(face, feature) for face in beside.tolist() for feature in known[face]]
        face, feature = np.array(rows, np.int64).reshape(-1, 2).T
        return _sorted(
            np.concatenate([labels.face[keep], face]),
            np.concatenate([labels.feature[keep], feature]),
            len(beside),
        )

    def _hold_against(self, points: Floats, differing: Ints) -> None:
        """Stop if a point disagrees with the edges about a feature whose boundary is not at the point.

        `differing`: rows (face, feature) in which they disagree.
        """
        order, starts = group(differing[:, 1])
        for rows in np.split(differing[order], starts[1:]):
            if len(rows) == 0:
                continue
            at = points[rows[:, 0]]
            border = shapely.boundary(self.geometry[rows[0, 1]])
            shapely.prepare(border)
            far = np.flatnonzero(~shapely.dwithin(border, shapely.points(at), _DOUBT))
            if len(far):
                place = float(at[far[0], 0]), float(at[far[0], 1])
                raise InvariantViolated("labels", place, count=len(far))

    def _from_around(self, labels: Labels, beside: Ints) -> dict[int, frozenset[int]]:
        """Return the features of the faces in `beside`, stepping in across edges from all others."""
        half = np.flatnonzero(np.isin(self.faces.left, beside))
        border: dict[int, list[int]] = {}
        for inner, outer in zip(half.tolist(), self.faces.left[half ^ 1].tolist()):
            border.setdefault(outer, []).append(inner)
        known = _sets(labels, set(border) - set(beside.tolist()) - {-1})
        if -1 in border:
            known[-1] = frozenset()
        waiting = list(known)
        while waiting:
            beyond = waiting.pop()
            for inner in border.get(beyond, []):
                face = int(self.faces.left[inner])
                if face not in known:
                    known[face] = self._across(known[beyond], inner)
                    waiting.append(face)
        return known

    def _across(self, features: frozenset[int], half: int) -> frozenset[int]:
        """Return the features on the left of a half-arc, given those on its right."""
        edge = self.arcs.first_edge[half >> 1]
        _, carrier, sign = self.edges.parts.carriers(np.array([edge]))
        rising = self.edges.start[edge] < self.edges.end[edge]
        toward = 1 if rising == (half % 2 == 0) else -1
        counts = dict.fromkeys(features, 1)
        for feature, side in zip(carrier.tolist(), (sign * toward).tolist()):
            counts[feature] = counts.get(feature, 0) + side
        return frozenset(feature for feature, count in counts.items() if count > 0)


def _sets(labels: Labels, faces: set[int]) -> dict[int, frozenset[int]]:
    """Return the features of each of the given faces."""
    wanted = np.isin(labels.face, list(faces))
    sets: dict[int, set[int]] = {face: set() for face in faces}
    for face, feature in zip(labels.face[wanted].tolist(), labels.feature[wanted].tolist()):
        sets[face].add(feature)
    return {face: frozenset(features) for face, features in sets.items()}
