# SPDX-License-Identifier: GPL-2.0-or-later
"""Faces of a noded arrangement: from edges that meet only at their ends to polygons.

Edges are chained into arcs between junctions; every arc has two half-arcs, each with the face on
its left. Half-arc ``2 a`` runs along arc ``a``, half-arc ``2 a + 1`` against it.

Of a tile only the nodes in it are *owned*: known with all their edges. Walks round faces that leave
the owned nodes are *strands*, to be joined with those of other tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from swc_zoning.engine.grid import Floats, Ints, group, ragged, to_metres

#: Directions closer than this (radians) are ordered by exact cross products, not by their angles.
_CLOSE = 1e-13
#: Doubled areas (units squared) below this are exact in wrapped int64; above, doubles give the sign.
_WRAP = float(1 << 60)


@dataclass(frozen=True)
class Arcs:
    """Chains of edges between junctions.

    Arc ``a`` visits ``nodes[offsets[a]:offsets[a + 1]]``; its edges are
    ``first_edge[a] .. first_edge[a] + len - 2`` in the order the edges were given.
    """

    nodes: Ints
    offsets: Ints
    first_edge: Ints

    def __len__(self) -> int:
        return len(self.first_edge)


@dataclass(frozen=True)
class Faces:
    """Bounded faces with their rings, each ring from its smallest node, shells first.

    Ring ``r`` visits ``nodes[ring_offsets[r]:ring_offsets[r + 1]]`` (first node repeated at the
    end); face ``f`` owns rings ``face_offsets[f] .. face_offsets[f + 1] - 1``.
    """

    nodes: Ints
    ring_offsets: Ints
    face_offsets: Ints

    def __len__(self) -> int:
        return len(self.face_offsets) - 1

    def corners(self) -> Ints:
        """Return the smallest node of the shell of each face."""
        return self.nodes[self.ring_offsets[self.face_offsets[:-1]]]

    def polygons(self, x: Ints, y: Ints) -> np.ndarray:
        """Return the faces as shapely polygons in metres; x, y: node coordinates in units."""
        xy = np.column_stack([to_metres(x[self.nodes]), to_metres(y[self.nodes])])
        return shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, xy, (self.ring_offsets, self.face_offsets)
        )


@dataclass(frozen=True)
class Strands:
    """Walks round faces that are not settled in a tile, as half-arcs.

    Strand ``s`` is ``half_arcs[offsets[s]:offsets[s + 1]]``. The first `open` of them come in from
    the end of an edge that is not owned and leave to another; the others are closed, and lie in a
    face around them that is not of this tile.
    """

    half_arcs: Ints
    offsets: Ints
    open: int

    def __len__(self) -> int:
        return len(self.offsets) - 1


def chain(start: Ints, end: Ints, owned: np.ndarray) -> Arcs:
    """Chain edges given in walking order into arcs.

    `start` and `end` are node numbers; edges that follow each other in a ring follow each other
    here. An arc ends where the next edge does not continue it or where other edges join; an edge
    with one end that is not `owned` (bool, by node) is an arc of its own.
    """
    degree = np.bincount(start, minlength=len(owned)) + np.bincount(end, minlength=len(owned))
    leaving = ~(owned[start] & owned[end])
    degree[start[leaving]] = degree[end[leaving]] = 0
    breaks = np.ones(len(start) + 1, bool)
    breaks[1:-1] = (end[:-1] != start[1:]) | (degree[start[1:]] != 2)
    first = np.flatnonzero(breaks[:-1])
    lengths = np.diff(np.flatnonzero(breaks))
    nodes = start[ragged(first, lengths)]
    offsets = np.zeros(len(first) + 1, np.int64)
    np.cumsum(lengths + 1, out=offsets[1:])
    nodes = np.insert(nodes, np.cumsum(lengths), end[first + lengths - 1])
    return Arcs(nodes, offsets, first)


def trace(arcs: Arcs, x: Ints, y: Ints, owned: np.ndarray) -> tuple[Faces, Strands, Ints]:
    """Return the bounded faces the arcs enclose, the strands left over, and what lies left of half-arcs.

    x, y: node coordinates in units, nodes in (x, y) order; owned: bool, by node. On the left of a
    half-arc lies face ``f`` (``f``) or what strand ``s`` will be part of (``-1 - s``).
    """
    if len(arcs) == 0:
        none = np.empty(0, np.int64)
        return _no_faces(), Strands(none, np.zeros(1, np.int64), 0), none
    walked, walk_offsets, open_count = _walks(*_successors(arcs, x, y, owned))
    cycles = walk_offsets[open_count:]
    half_arcs, cycle_offsets = walked[cycles[0] :], cycles - cycles[0]
    rings = _simple_rings(*_open_rings(arcs, half_arcs, cycle_offsets))
    faces, face_of = enclose(*rings, len(cycle_offsets) - 1, x, y)

    # Walks that bound no face of this tile are strands: the open ones, and cycles with nothing around.
    settled = np.concatenate([np.full(open_count, -1, np.int64), face_of])
    loose = np.flatnonzero(settled < 0)
    settled[loose] = -1 - np.arange(len(loose))
    counts = np.diff(walk_offsets)
    left = np.empty(2 * len(arcs), np.int64)
    left[walked] = np.repeat(settled, counts)
    offsets = np.concatenate([[0], np.cumsum(counts[loose])])
    strands = Strands(walked[ragged(walk_offsets[:-1][loose], counts[loose])], offsets, open_count)
    return faces, strands, left


def enclose(nodes: Ints, offsets: Ints, cycle: Ints, cycles: int, x: Ints, y: Ints) -> tuple[Faces, Ints]:
    """Return the faces that simple open rings enclose, and the face each cycle bounds (-1: none).

    `cycle`: which of the `cycles` each ring comes from.
    """
    if len(offsets) < 2:
        return _no_faces(), np.full(cycles, -1, np.int64)
    doubled = _doubled_areas(nodes, offsets, x, y)
    nodes = _from_smallest(nodes, offsets)
    face, faces = _faces_of_rings(nodes, offsets, cycle, doubled, x, y)
    face_of = np.full(cycles, -1, np.int64)
    face_of[cycle] = face
    return _assemble(nodes, offsets, doubled, face, faces), face_of


def _no_faces() -> Faces:
    return Faces(np.empty(0, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))


def _successors(arcs: Arcs, x: Ints, y: Ints, owned: np.ndarray) -> tuple[Ints, Ints]:
    """Return for each half-arc the one that continues round the face on its left, and where walks begin.

    -1 where it ends in a node that is not owned; walks begin at half-arcs that start in one.
    """
    first, last = arcs.nodes[arcs.offsets[:-1]], arcs.nodes[arcs.offsets[1:] - 1]
    second, before = arcs.nodes[arcs.offsets[:-1] + 1], arcs.nodes[arcs.offsets[1:] - 2]
    start = np.column_stack([first, last]).ravel()
    toward = np.column_stack([second, before]).ravel()
    dx, dy = x[toward] - x[start], y[toward] - y[start]
    order = _by_angle(start, dx, dy)
    # Standing at the end of a half-arc, the next one is clockwise of the way back.
    _, begins = group(start[order])
    ends = np.append(begins[1:], len(order))
    previous = np.arange(len(order)) - 1
    previous[begins] = ends - 1
    clockwise = np.empty(len(order), np.int64)
    clockwise[order] = order[previous]
    successor = clockwise[np.arange(len(order)) ^ 1]
    successor[~owned[np.column_stack([last, first]).ravel()]] = -1
    return successor, np.flatnonzero(~owned[start])


def _by_angle(start: Ints, dx: Ints, dy: Ints) -> Ints:
    """Order half-arcs by start node, then counter-clockwise by direction, exactly."""
    angle = np.arctan2(dy.astype(float), dx.astype(float))
    order = np.lexsort((angle, start))
    near = (start[order[1:]] == start[order[:-1]]) & (np.diff(angle[order]) < _CLOSE)
    while near.any():
        swapped = False
        for i in np.flatnonzero(near):
            a, b = order[i], order[i + 1]
            if int(dx[a]) * int(dy[b]) < int(dy[a]) * int(dx[b]):
                order[i], order[i + 1] = b, a
                swapped = True
        if not swapped:
            break
    return order


def _walks(successor: Ints, begins: Ints) -> tuple[Ints, Ints, int]:
    """Return (half-arcs walk by walk, offsets, number of open walks): open walks first, then cycles."""
    following = successor.tolist()
    seen = bytearray(len(following))
    walked: list[int] = []
    offsets = [0]
    for step in begins.tolist():
        while step >= 0:
            seen[step] = 1
            walked.append(step)
            step = following[step]
        offsets.append(len(walked))
    for begin in range(len(following)):
        if seen[begin]:
            continue
        step = begin
        while not seen[step]:
            seen[step] = 1
            walked.append(step)
            step = following[step]
        offsets.append(len(walked))
    return np.array(walked, np.int64), np.array(offsets, np.int64), len(begins)


def _open_rings(arcs: Arcs, half_arcs: Ints, cycle_offsets: Ints) -> tuple[Ints, Ints, Ints]:
    """Return (nodes, offsets) of cycles, and which of them pass a node twice."""
    nodes, at = walk_nodes(arcs, half_arcs)
    return nodes, at[cycle_offsets], _pinched(arcs, half_arcs, cycle_offsets)


def _simple_rings(nodes: Ints, offsets: Ints, pinched: Ints) -> tuple[Ints, Ints, Ints]:
    """Return (open ring nodes, ring offsets, cycle of each ring); a ring visits no node twice."""
    if len(pinched) == 0:
        return nodes, offsets, np.arange(len(offsets) - 1)
    rings: list[Ints] = []
    cycles: list[int] = []
    for cycle in pinched:
        parts = _unpinch(nodes[offsets[cycle] : offsets[cycle + 1]].tolist())
        rings += [np.array(part, np.int64) for part in parts]
        cycles += [int(cycle)] * len(parts)
    plain = np.setdiff1d(np.arange(len(offsets) - 1), pinched)
    counts = np.diff(offsets)[plain]
    nodes = np.concatenate([nodes[ragged(offsets[:-1][plain], counts)], *rings])
    lengths = np.concatenate([counts, [len(ring) for ring in rings]])
    return nodes, np.concatenate([[0], np.cumsum(lengths)]), np.concatenate([plain, cycles]).astype(np.int64)


def trace_rings(nodes: Ints, offsets: Ints, x: Ints, y: Ints) -> tuple[Faces, Ints]:
    """Return the bounded faces of closed walks given by their nodes, and the face of each (-1: none).

    Walk ``w`` visits ``nodes[offsets[w]:offsets[w + 1]]``; x, y: as in `trace`.
    """
    walk = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((nodes, walk))
    again = (np.diff(walk[order]) == 0) & (np.diff(nodes[order]) == 0)
    pinched = np.unique(walk[order[1:][again]])
    return enclose(*_simple_rings(nodes, offsets, pinched), len(offsets) - 1, x, y)


def walk_nodes(arcs: Arcs, half_arcs: Ints) -> tuple[Ints, Ints]:
    """Return the nodes along half-arcs, each without its last one, and where each half-arc begins."""
    arc, backward = half_arcs >> 1, (half_arcs & 1).astype(bool)
    counts = arcs.offsets[arc + 1] - arcs.offsets[arc] - 1
    at = np.zeros(len(half_arcs) + 1, np.int64)
    np.cumsum(counts, out=at[1:])
    step = np.arange(at[-1]) - np.repeat(at[:-1], counts)
    origin = np.where(backward, arcs.offsets[arc + 1] - 1, arcs.offsets[arc])
    position = np.repeat(origin, counts) + np.where(np.repeat(backward, counts), -step, step)
    return arcs.nodes[position], at


def _pinched(arcs: Arcs, half_arcs: Ints, cycle_offsets: Ints) -> Ints:
    """Return the cycles that pass a junction more than once."""
    junction = np.where(
        half_arcs & 1,
        arcs.nodes[arcs.offsets[(half_arcs >> 1) + 1] - 1],
        arcs.nodes[arcs.offsets[half_arcs >> 1]],
    )
    cycle = np.repeat(np.arange(len(cycle_offsets) - 1), np.diff(cycle_offsets))
    order = np.lexsort((junction, cycle))
    again = (np.diff(cycle[order]) == 0) & (np.diff(junction[order]) == 0)
    return np.unique(cycle[order[1:][again]])


def _unpinch(nodes: list[int]) -> list[list[int]]:
    """Cut a closed walk at nodes it passes twice into rings that pass every node once."""
    rings: list[list[int]] = []
    path: list[int] = []
    place: dict[int, int] = {}
    for node in nodes:
        if node in place:
            cut = place[node]
            rings.append(path[cut:])
            for left in path[cut + 1 :]:
                del place[left]
            del path[cut + 1 :]
        else:
            place[node] = len(path)
            path.append(node)
    return [*rings, path]


def _doubled_areas(nodes: Ints, offsets: Ints, x: Ints, y: Ints) -> Floats:
    """Return twice the signed area of each open ring (units squared), with the exact sign."""
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    px, py = x[nodes] - x[nodes[begin]], y[nodes] - y[nodes[begin]]
    following = np.arange(1, len(nodes) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    with np.errstate(over="ignore"):
        exact = np.add.reduceat(px * py[following] - px[following] * py, offsets[:-1])
    fx, fy = px.astype(float), py.astype(float)
    rough = np.add.reduceat(fx * fy[following] - fx[following] * fy, offsets[:-1])
    return np.where(np.abs(rough) < _WRAP, exact.astype(float), rough)


def _from_smallest(nodes: Ints, offsets: Ints) -> Ints:
    """Turn each open ring so that it begins at its smallest node."""
    counts = np.diff(offsets)
    smallest = np.minimum.reduceat(nodes, offsets[:-1])
    at = np.flatnonzero(nodes == np.repeat(smallest, counts)) - offsets[:-1]
    step = np.arange(len(nodes)) - np.repeat(offsets[:-1], counts)
    turned = step + np.repeat(at, counts)
    length = np.repeat(counts, counts)
    turned[turned >= length] -= length[turned >= length]
    return nodes[np.repeat(offsets[:-1], counts) + turned]


def _faces_of_rings(
    nodes: Ints, offsets: Ints, cycle: Ints, doubled: Floats, x: Ints, y: Ints
) -> tuple[Ints, int]:
    """Return the face each ring bounds (-1: the outside) and the number of faces.

    A counter-clockwise ring is the shell of a face. A clockwise one is a hole: of the shell on
    its own cycle, or else of the smallest shell around it.
    """
    shells = np.flatnonzero(doubled > 0)
    face = np.full(len(doubled), -1, np.int64)
    face[shells] = np.arange(len(shells))
    of_cycle = np.full(int(cycle.max()) + 1 if len(cycle) else 0, -1, np.int64)
    of_cycle[cycle[shells]] = face[shells]
    holes = np.flatnonzero(doubled <= 0)
    face[holes] = of_cycle[cycle[holes]]
    loose = holes[face[holes] < 0]
    if len(loose) and len(shells):
        face[loose] = _surrounding(loose, shells, nodes, offsets, doubled, x, y)
    return face, len(shells)


def _surrounding(
    loose: Ints, shells: Ints, nodes: Ints, offsets: Ints, doubled: Floats, x: Ints, y: Ints
) -> Ints:
    """Return for each loose ring the face whose shell is the smallest around it, or -1.

    Loose rings bound connected parts of the arrangement from outside: they touch no other part,
    so any of their nodes tells; the shells of their own part have no node of it inside them
    that is smaller than all others, so the smallest node is the one asked.
    """
    corner = nodes[offsets[loose]]
    points = shapely.points(to_metres(x[corner]), to_metres(y[corner]))
    closed = _close(nodes, offsets, shells)
    rings = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON,
        np.column_stack([to_metres(x[closed[0]]), to_metres(y[closed[0]])]),
        (closed[1], np.arange(len(shells) + 1)),
    )
    shell, point = shapely.STRtree(points).query(rings, predicate="contains_properly")
    order = np.lexsort((shell, doubled[shells][shell], point))
    inner, begins = np.unique(point[order], return_index=True)
    result = np.full(len(loose), -1, np.int64)
    result[inner] = shell[order][begins]
    return result


def _close(nodes: Ints, offsets: Ints, rings: Ints) -> tuple[Ints, Ints]:
    """Return nodes and offsets of the given rings, each with its first node repeated at the end."""
    counts = np.diff(offsets)[rings]
    picked = nodes[ragged(offsets[:-1][rings], counts)]
    closed = np.insert(picked, np.cumsum(counts), nodes[offsets[:-1][rings]])
    return closed, np.concatenate([[0], np.cumsum(counts + 1)])


def _assemble(nodes: Ints, offsets: Ints, doubled: Floats, face: Ints, faces: int) -> Faces:
    """Put rings in order of face, shell first, then holes by their smallest nodes."""
    second = nodes[offsets[:-1] + 1]
    kept = np.flatnonzero(face >= 0)
    order = kept[np.lexsort((second[kept], nodes[offsets[:-1]][kept], doubled[kept] < 0, face[kept]))]
    closed, ring_offsets = _close(nodes, offsets, order)
    face_offsets = np.concatenate([[0], np.cumsum(np.bincount(face[order], minlength=faces))])
    return Faces(closed, ring_offsets, face_offsets)
