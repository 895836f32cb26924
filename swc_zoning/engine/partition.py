# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact partition of the city: layers in, edge-connected pieces with one label set each out.

All layers are symmetric. The plane is cut into tiles (`tiles`); in each the rings near it become
noded segments (`noding`), the edges are traced to faces (`faces`), and every face is drawn and
labelled with the features it lies in (`traced`). Faces that several tiles share are put together
(`stitching`). Labels are proved twice: by an interior point, and by the rule that crossing an edge
changes exactly the features whose boundary it carries (`labels`).

That rule is checked with hashes. Every feature has a 64-bit hash; the *flow* of an arc is the sum
of the hashes of the features on its left less those on its right. The hashes of the features a face
lies in, summed, must differ across an arc by its flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import cache
from swc_zoning.engine import faces as tracing
from swc_zoning.engine.areas import AreaModel
from swc_zoning.engine.arrangement import Hashes, feature_hashes
from swc_zoning.engine.borders import Borders
from swc_zoning.engine.grid import Floats, Ints, to_metres, unique_points
from swc_zoning.engine.labels import Labels, ask_features, settle
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.spool import Spool
from swc_zoning.engine.stitching import stitch
from swc_zoning.engine.tasks import Executor, Serial
from swc_zoning.engine.tiles import Draft, Tiling
from swc_zoning.engine.traced import STEPS, Chains, Loose, Shapes, Traced, ids_of_rings

#: Ring vertices of a tile: few enough for the processor's cache, many enough to have few seams.
PER_TILE = 400_000


@dataclass(frozen=True)
class Partition:
    """The faces of the city, their labels and the borders between them.

    x, y: smallest node of each face (units of 0.0001 m); plane_m2, perimeter_m, ellipsoidal_m2 (0
    where no area model was given); `key`: fingerprint of its edges; `id`: 64 bits of the SHA-256 of
    its rings. `hashes`: one per feature. `inside`: whether a face lies in the extent, or, without
    an extent, in any feature; these are the pieces.
    """

    x: Ints
    y: Ints
    plane_m2: Floats
    perimeter_m: Floats
    ellipsoidal_m2: Floats
    key: Hashes
    id: Hashes
    labels: Labels
    borders: Borders
    hashes: Hashes
    inside: NDArray[np.bool_]
    drawn: Spool
    arcs: Spool

    def __len__(self) -> int:
        return len(self.x)

    def place(self, face: int) -> tuple[float, float]:
        """Return a corner of a face (east, north), metres."""
        return float(to_metres(self.x[face])), float(to_metres(self.y[face]))

    def wkb(self, faces: Ints) -> list[bytes]:
        """Return the polygons of faces in metres of the working CRS, as WKB."""
        return self.drawn.read(faces)

    def polygons(self, faces: Ints | None = None) -> NDArray[Any]:
        """Return the polygons of faces, all of them if none are named."""
        faces = np.arange(len(self)) if faces is None else faces
        return shapely.from_wkb(np.array(self.wkb(faces), object))

    def dissolve(self, key: Ints) -> Merged:
        """Merge faces of equal `key` that share an edge; faces of key -1 are left out.

        Borders keep every node, so that merged areas fit each other and the pieces edge for edge.
        """
        sides = np.append(key, -1)
        left, right = sides[self.borders.left], sides[self.borders.right]
        border = np.flatnonzero(left != right)
        if len(border) == 0:
            return Merged(np.empty(0, object), np.empty(0, np.int64), np.empty(0, np.uint64))
        chains = [np.frombuffer(chain, np.int64).reshape(-1, 2) for chain in self.arcs.read(border)]
        counts = np.array([len(chain) - 1 for chain in chains])
        x, y, node = unique_points(*np.concatenate(chains).T)
        inner = np.ones(len(node), bool)
        inner[np.cumsum(counts + 1) - 1] = False
        start, end = node[inner], node[np.flatnonzero(inner) + 1]
        everything = np.ones(len(x), bool)
        arcs = tracing.chain(start, end, everything)
        merged, _, beside = tracing.trace(arcs, x, y, everything)
        arc = np.repeat(np.arange(len(border)), counts)[arcs.first_edge]
        keys = np.full(len(merged), -1, np.int64)
        sides = np.column_stack([left[border[arc]], right[border[arc]]]).ravel()
        keys[beside[beside >= 0]] = sides[beside >= 0]
        kept = np.flatnonzero(keys >= 0)
        ids = ids_of_rings(x[merged.nodes], y[merged.nodes], merged.ring_offsets, merged.face_offsets)
        return Merged(merged.polygons(x, y)[kept], keys[kept], ids[kept])


class Merged(NamedTuple):
    """Faces merged: polygons (metres), the key of each, and ids as faces have them."""

    polygons: NDArray[Any]
    key: Ints
    id: Hashes


def build(
    geometry: NDArray[Any],
    frames: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
    per_tile: int = PER_TILE,
    model: AreaModel | None = None,
    directory: Path | None = None,
    keep: Path | None = None,
) -> Partition:
    """Return the partition that `geometry` makes.

    geometry: valid 2-D polygons and multipolygons (n,), metres of one projected CRS; frames:
    which of them make up the extent (n,), none if there is no extent; model: how to measure on the
    ellipsoid; directory: where what memory should not hold is set aside; keep: where results of
    tiles are kept between runs. The result does not
    depend on `executor` or `per_tile`, nor, but for numbering, on the order of `geometry`.
    """
    progress = progress or Progress()
    executor = executor or Serial()
    with progress.step("tiling", 0.05):
        tiling = Tiling(geometry, per_tile)
    city = _City(directory)
    with progress.step("tracing", 0.47):
        drafts = city.noting(tiling.drafts(executor))
        for done, traced in enumerate(cache.trace(drafts, model, executor, keep), start=1):
            city.add(traced)
            progress.advance(done / len(tiling))
    with progress.step("stitching", 0.08):
        return city.partition(tiling.geometry, tiling.over_seams(), frames)


class _City:
    """Collects what tiles give, in tile order."""

    def __init__(self, directory: Path | None) -> None:
        self.drawn, self.arcs = Spool(directory), Spool(directory)
        self.features: list[Ints] = []
        self.shapes: list[Shapes] = []
        self.labels: list[tuple[Ints, Ints]] = []
        self.loose: list[Loose] = []
        self.chains: list[Chains] = []
        self.count = 0

    def noting(self, drafts: Iterator[Draft]) -> Iterator[Draft]:
        """Pass tiles on, keeping which features they count."""
        for draft in drafts:
            self.features.append(draft.feature)
            yield draft

    def add(self, traced: Traced) -> None:
        """Take the next tile's result: bytes to the spools, columns to memory."""
        feature = self.features[len(self.loose)]
        chains = traced.chains
        self.arcs.add(np.column_stack([chains.x, chains.y]).tobytes(), chains.nodes * 16)
        self.loose.append(traced.loose)
        self.labels.append((traced.label_face + self.count, feature[traced.label_feature]))
        self.chains.append(_slim(chains, feature))
        self._add_shapes(traced.shapes)

    def _add_shapes(self, shapes: Shapes) -> None:
        self.drawn.add(shapes.wkb, shapes.sizes)
        self.shapes.append(_without_wkb(shapes))
        self.count += len(shapes)

    def partition(
        self, geometry: NDArray[Any], over_seams: Ints, frames: NDArray[np.bool_] | None
    ) -> Partition:
        """Return the whole, with the faces that tiles share: only features `over_seams` hold any."""
        begins = np.cumsum([0, *(len(shapes) for shapes in self.shapes)])
        stitched, face_of_strand = stitch(self.loose)
        face_of_strand = np.where(face_of_strand >= 0, face_of_strand + self.count, -1)
        borders = self._borders(begins, face_of_strand)
        self.labels.append(self._labels(stitched, geometry, over_seams))
        self._add_shapes(stitched)
        self.drawn.seal()
        self.arcs.seal()

        hashes = feature_hashes(len(geometry))
        # Rows are sorted within each tile, and tiles number their faces one after the other.
        labels = Labels(*(np.concatenate(column) for column in zip(*self.labels)))
        points = self._column("point")
        labels = settle(labels, borders, geometry, points, hashes)
        return Partition(
            self._column("x"),
            self._column("y"),
            self._column("plane_m2"),
            self._column("perimeter") / STEPS,
            self._column("ellipsoidal") / STEPS,
            self._column("key"),
            self._column("id"),
            labels,
            borders,
            hashes,
            _inside(labels, frames, len(points)),
            self.drawn,
            self.arcs,
        )

    def _labels(self, stitched: Shapes, geometry: NDArray[Any], over_seams: Ints) -> tuple[Ints, Ints]:
        point, feature = ask_features(stitched.point, geometry[over_seams])
        feature = over_seams[feature]
        order = np.lexsort((feature, point))
        return point[order] + self.count, feature[order]

    def _column(self, name: str) -> NDArray[Any]:
        return np.concatenate([getattr(shapes, name) for shapes in self.shapes])

    def _borders(self, begins: Ints, face_of_strand: Ints) -> Borders:
        """Return the arcs of all tiles with faces of the whole on their sides."""
        strand = np.cumsum([0, *(len(loose) for loose in self.loose)])
        sides: list[list[Ints]] = [[], []]
        for tile, chains in enumerate(self.chains):
            for side, column in zip(sides, (chains.left, chains.right)):
                beyond = face_of_strand[strand[tile] : strand[tile + 1]]
                settled = np.where(column >= 0, column + begins[tile], -1)
                open_side = column < 0
                settled[open_side] = beyond[-1 - column[open_side]]
                side.append(settled.astype(np.int32))
        none = np.empty(0, np.int32)
        counts = [np.diff(chains.offsets) for chains in self.chains]
        return Borders(
            np.concatenate([none, *sides[0]]),
            np.concatenate([none, *sides[1]]),
            np.concatenate([none, *(chains.x for chains in self.chains)]).astype(np.int64),
            np.concatenate([none, *(chains.y for chains in self.chains)]).astype(np.int64),
            np.concatenate([none, *(chains.length for chains in self.chains)]) / STEPS,
            np.concatenate([[0], np.cumsum(np.concatenate([none, *counts]))]).astype(np.int64),
            np.concatenate([none, *(chains.feature for chains in self.chains)]),
            np.concatenate([np.empty(0, np.int8), *(chains.side for chains in self.chains)]),
        )


def _slim(chains: Chains, feature: Ints) -> Chains:
    """Return arcs without their nodes but the first, carried by features of the whole."""
    first = np.cumsum(chains.nodes) - chains.nodes
    return Chains(
        chains.x[first],
        chains.y[first],
        chains.nodes[:0],
        chains.left.astype(np.int32),
        chains.right.astype(np.int32),
        chains.length,
        chains.offsets,
        feature[chains.feature].astype(np.int32),
        chains.side,
    )


def _without_wkb(shapes: Shapes) -> Shapes:
    columns = (shapes.perimeter, shapes.ellipsoidal, shapes.key, shapes.id, shapes.point)
    return Shapes(shapes.x, shapes.y, shapes.plane_m2, *columns, b"", shapes.sizes[:0])


def _inside(labels: Labels, frames: NDArray[np.bool_] | None, count: int) -> NDArray[np.bool_]:
    inside = np.zeros(count, bool)
    framed = frames is not None and bool(frames.any())
    inside[labels.face[frames[labels.feature]] if framed else labels.face] = True
    return inside
