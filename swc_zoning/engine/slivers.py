# SPDX-License-Identifier: GPL-2.0-or-later
"""The sliver court: which lines make a piece a sliver, what is best done with it, and merging on request.

A sliver is merged only into a piece of the same district, land value, decision and statutory
membership; features and free roles may differ. It goes to the neighbour with the longest shared
border; of equal ones to the larger, then to the one of the smaller piece id. Slivers that go to
slivers are taken together, and what is a sliver still goes on. Nothing of this depends on the order
of layers, features or tiles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import ledger, roles, verdicts
from swc_zoning.engine.areas import close_districts
from swc_zoning.engine.borders import Borders
from swc_zoning.engine.grid import Floats, Ints, group, mix, ragged
from swc_zoning.engine.job import Job, Slivers
from swc_zoning.engine.ledger import Entry, Row
from swc_zoning.engine.messages import Finding, InvariantViolated, sentence
from swc_zoning.engine.pieces import Combo, Pieces, are_slivers, id_digits
from swc_zoning.engine.traced import STEPS
from swc_zoning.engine.verdicts import KEEP, MERGE, Match, Verdicts

Mask = NDArray[np.bool_]

#: Smaller changes of a feature (m2) are those of adding up.
_WORTH_TELLING = 1e-5
#: So many partners of a sliver are named, those with the longest borders.
_PARTNERS_TOLD = 5

#: What is recommended, the first that is so; `resources/messages` has the reasons.
ADVICE = (
    "slivers.keep_decided",
    "slivers.merge",
    "slivers.keep_alone",
    "slivers.keep_partner",
    "slivers.keep_district",
    "slivers.keep_membership",
)
#: What became of it: nothing, merged into another piece, others merged into it, kept as a verdict says,
#: or asked to merge without a piece it may go to.
STATES = ("flagged", "merged", "received", "kept", "stuck")


# --- the court -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """The two features along whose boundaries each sliver lies, -1 where there is none, and how far (m).

    Of two layers, unless a layer makes the sliver by itself; the first is along the longest.
    """

    first: Ints
    second: Ints
    first_m: Floats
    second_m: Floats


@dataclass(frozen=True)
class Partners:
    """Rows (sliver, piece, length of the shared border in m), by sliver, longest first.

    `open`: whether the sliver may be merged into the piece.
    """

    sliver: Ints
    piece: Ints
    length_m: Floats
    open: Mask


@dataclass(frozen=True)
class Court:
    """All slivers of a run (n), what makes them, and what became of them.

    `piece`: number in `before`, the pieces as the layers make them; `into`: piece of `pieces` that
    each piece of `before` is in; `receiver`: where merging would take a sliver, -1 nowhere, and
    `receiver_m` the border there; `advice`, `state`: number in `ADVICE`, `STATES`; `place` (n, 2).
    """

    before: Pieces
    pieces: Pieces
    into: Ints
    asked: Slivers
    piece: Ints
    place: Floats
    lines: Lines
    partners: Partners
    receiver: Ints
    receiver_m: Floats
    advice: Ints
    state: Ints
    known: Verdicts
    match: Match
    outdated: Mask

    def __len__(self) -> int:
        return len(self.piece)

    @property
    def plane_m2(self) -> Floats:
        """Return the plane area of each sliver."""
        return self.before.plane_m2[self.piece]

    @property
    def length_m(self) -> Floats:
        """Return the length of each sliver: half its perimeter."""
        return self.before.perimeter_m[self.piece] / 2

    @property
    def width_m(self) -> Floats:
        """Return the mean width of each sliver: 2 A / P."""
        return self.plane_m2 / self.length_m

    def is_in(self, state: str) -> Mask:
        """Return which slivers are in one of `STATES`."""
        return self.state == STATES.index(state)

    def decided(self, decision: str) -> Mask:
        """Return which slivers have a verdict of this kind."""
        says = np.array([*(row.decision == decision for row in self.known.rows), False])
        return says[self.match.of_sliver]


def settle(pieces: Pieces, job: Job, crs: str) -> Court:
    """Return the slivers among proved `pieces`, judged, and merged as the job asks.

    `crs`: name of the working CRS as results give it. Raises what `verdicts.load` raises, and
    InvariantViolated ``merged`` where merged pieces are not what they must be.
    """
    asked = job.options.slivers
    known = verdicts.load(asked.decisions, crs) if asked.decisions else Verdicts()
    border = pieces.partition.borders
    court = judge(pieces, border, asked, known)
    kept, wanted = court.decided(KEEP), court.decided(MERGE)
    moving = {"none": np.zeros_like(kept), "all": ~kept, "decisions": wanted}[asked.merge]
    # A verdict to merge that was made for another membership is not carried out, whatever is asked.
    root = _gathered(court, moving & ~(wanted & court.outdated))
    own = root[court.piece] == court.piece
    received = np.bincount(root, minlength=len(pieces))[court.piece] > 1
    conditions = [kept, ~own, received, moving]
    state = np.select(conditions, [STATES.index(one) for one in ("kept", "merged", "received", "stuck")], 0)
    court = replace(court, state=state)
    if np.all(own):
        return court
    merged, into = _merged(pieces, root, border, job)
    court = replace(court, pieces=merged, into=into)
    prove_merged(pieces, merged, into)
    return court


def judge(pieces: Pieces, border: Borders, asked: Slivers, known: Verdicts) -> Court:
    """Return all slivers among `pieces` with what makes them and what is best done, nothing merged."""
    sliver = np.flatnonzero(pieces.sliver)
    shapes = pieces.drawn(sliver)
    match = verdicts.match(known.rows, shapes, pieces.plane_m2[sliver])
    says_keep = np.array([*(row.decision == KEEP for row in known.rows), False])[match.of_sliver]
    kept = np.zeros(len(pieces), bool)
    kept[sliver[says_keep]] = True
    law, ground = _law(pieces), _ground(pieces)
    partners, row, arc = _around(pieces, border, sliver)
    own, other = sliver[partners.sliver], partners.piece
    same_law, same_ground = law[own] == law[other], ground[own] == ground[other]
    partners = replace(partners, open=same_law & same_ground & ~kept[own] & ~kept[other])
    receiver, receiver_m = _longest(partners, len(sliver))
    return Court(
        pieces,
        pieces,
        np.arange(len(pieces)),
        asked,
        sliver,
        verdicts.places(shapes),
        _lines(pieces, border, row, arc, len(sliver)),
        partners,
        receiver,
        receiver_m,
        _advice(partners, kept[sliver], same_law, same_ground),
        np.zeros(len(sliver), np.int64),
        known,
        match,
        _outdated(pieces, sliver, known, match),
    )


# --- who may go where ------------------------------------------------------------------------------


def statutory(combo: Combo) -> dict[str, list[str]]:
    """Return the tiers by known role of a label combination: what the law speaks of."""
    return {role: tiers for role, tiers in combo.members.items() if roles.find(role) is not None}


def _law(pieces: Pieces) -> Ints:
    """Return a number for each piece, equal where decisions and statutory memberships are."""
    texts = [json.dumps([c.decision, statutory(c)], sort_keys=True) for c in pieces.combos]
    number = {text: i for i, text in enumerate(sorted(set(texts)))}
    return np.array([number[text] for text in texts], np.int64)[pieces.combo]


def _ground(pieces: Pieces) -> Ints:
    """Return a number for each piece, equal where districts are, all of them where they overlap.

    Land and sea are apart by law already: the land mask is a known role.
    """
    rows = pieces.frame_rows()
    codes = [attributes.get("code", "") for attributes in pieces.intake.features.attributes]
    rank = {code: i for i, code in enumerate(sorted(set(codes)))}
    code = np.array([rank[one] for one in codes], np.int64)[rows.feature]
    pairs = np.unique(rows.piece * max(1, len(rank)) + code)
    piece, code = pairs // max(1, len(rank)), pairs % max(1, len(rank))
    sums = np.zeros(len(pieces), np.uint64)
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    if len(starts):
        sums[piece[starts]] = np.add.reduceat(mix(code.astype(np.uint64)), starts)
    return np.unique(sums, return_inverse=True)[1]


def _around(pieces: Pieces, border: Borders, sliver: Ints) -> tuple[Partners, Ints, Ints]:
    """Return the partners of the slivers, none open yet, and rows (sliver, arc) of the arcs round them."""
    row_of = np.full(len(pieces) + 1, -1, np.int64)
    row_of[sliver] = np.arange(len(sliver))
    of_face = np.append(pieces.piece_of_face, -1)
    left, right = of_face[border.left], of_face[border.right]
    between = left != right  # other arcs run inside a piece of several faces
    at_left = np.flatnonzero(between & (row_of[left] >= 0))
    at_right = np.flatnonzero(between & (row_of[right] >= 0))
    row = np.concatenate([row_of[left[at_left]], row_of[right[at_right]]])
    arc = np.concatenate([at_left, at_right])
    far = np.concatenate([right[at_left], left[at_right]])
    beside = far >= 0
    near, piece, steps = _summed(row[beside], far[beside], _whole(border.length_m[arc[beside]]), len(pieces))
    best = np.lexsort((_rank(pieces)[piece], -steps, near)) if len(near) else near
    return Partners(near[best], piece[best], steps[best] / STEPS, np.zeros(len(near), bool)), row, arc


def _whole(metres: Floats) -> Ints:
    return np.rint(metres * STEPS).astype(np.int64)


def _summed(one: Ints, other: Ints, values: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Return the distinct pairs, sorted, with the sum of their values; `other` is below `count`."""
    keys = one * max(1, count) + other
    order, starts = group(keys)
    pairs = keys[order[starts]]
    sums = np.add.reduceat(values[order], starts) if len(starts) else values
    return pairs // max(1, count), pairs % max(1, count), sums


def _rank(pieces: Pieces) -> Ints:
    """Return the place of each piece in the order of larger area, then smaller id."""
    rank = np.empty(len(pieces), np.int64)
    rank[np.lexsort((_id_numbers(pieces), -pieces.plane_m2))] = np.arange(len(pieces))
    return rank


def _id_numbers(pieces: Pieces) -> NDArray[np.uint64]:
    """Return piece ids as numbers, which sort like them."""
    digits = pieces.piece_id.tobytes().decode("ascii")
    return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)


def _longest(partners: Partners, count: int) -> tuple[Ints, Floats]:
    """Return for each sliver the piece it may go to with the longest border, -1 for none, and that (m)."""
    at = np.flatnonzero(partners.open)
    at = at[np.diff(partners.sliver[at], prepend=-1) != 0]
    piece, length = np.full(count, -1, np.int64), np.zeros(count)
    piece[partners.sliver[at]], length[partners.sliver[at]] = partners.piece[at], partners.length_m[at]
    return piece, length


def _advice(partners: Partners, kept: Mask, same_law: Mask, same_ground: Mask) -> Ints:
    """Return what is best done with each sliver: merged where it may be, else why not.

    `kept`: slivers; `same_law`, `same_ground`: rows of partners.
    """

    def any_of(rows: Mask) -> Mask:
        return np.bincount(partners.sliver[rows], minlength=len(kept)) > 0

    beside = any_of(np.ones(len(same_law), bool))
    conditions = [kept, any_of(partners.open), ~beside, any_of(same_law & same_ground), any_of(same_law)]
    return np.select(conditions, np.arange(len(conditions)), len(conditions))


def _outdated(pieces: Pieces, sliver: Ints, known: Verdicts, match: Match) -> Mask:
    """Return which slivers have a verdict that was made for another membership."""
    outdated = np.zeros(len(sliver), bool)
    members = [statutory(combo) for combo in pieces.combos]
    for row in np.flatnonzero(match.of_sliver >= 0).tolist():
        verdict = known.rows[match.of_sliver[row]]
        outdated[row] = verdicts.outdated(verdict, members[pieces.combo[sliver[row]]])
    return outdated


# --- the lines that make a sliver ------------------------------------------------------------------


def layer_names(pieces: Pieces) -> tuple[list[tuple[str, str]], Ints]:
    """Return the distinct (role, layer) of the inputs, sorted, and the number of each feature's."""
    names = [(record.role, record.layer) for record in pieces.intake.layers]
    known = sorted(set(names))
    return known, np.array([known.index(name) for name in names], np.int64)[pieces.intake.features.layer]


def _lines(pieces: Pieces, border: Borders, row: Ints, arc: Ints, count: int) -> Lines:
    """Return the two lines along each sliver; rows (sliver, arc) say what is round it.

    The first is the feature along most of it. The second is of the layer along most of what the
    first one's layer is not along, or of the same layer if other features of it are along more of
    what the first feature is not along.
    """
    arcs, at = np.unique(arc, return_inverse=True)
    of_arc, carrier, _ = border.carriers(arcs)
    carried = np.bincount(of_arc, minlength=len(arcs))
    side = np.repeat(np.arange(len(arc)), carried[at])
    feature = carrier[ragged((np.cumsum(carried) - carried)[at], carried[at])]
    sliver, steps = row[side], _whole(border.length_m)[arc[side]]
    known, layer_of = layer_names(pieces)
    rank = _feature_rank(pieces, np.unique(carrier), layer_of)

    first, first_m = _most(sliver, feature, steps, count, lambda row, one: rank[one])
    own = np.append(layer_of, -1)[first]
    layer = layer_of[feature]
    by_feature, by_layer = feature == first[sliver], layer == own[sliver]
    along = [np.bincount(side[by], minlength=len(arc))[side] > 0 for by in (by_feature, by_layer)]
    rest = ~np.where(by_layer, *along)
    side, sliver, feature, steps, layer = (rows[rest] for rows in (side, sliver, feature, steps, layer))
    once = np.unique(side * max(1, len(known)) + layer, return_index=True)[1]
    other, _ = _most(sliver[once], layer[once], steps[once], count, lambda row, one: one)
    there = layer == other[sliver]
    second, second_m = _most(sliver[there], feature[there], steps[there], count, lambda row, one: rank[one])
    return Lines(first, second, first_m, second_m)


def _most(
    row: Ints, value: Ints, steps: Ints, count: int, rank: Callable[[Ints, Ints], Ints]
) -> tuple[Ints, Floats]:
    """Return for each of `count` rows the value with the most steps, -1 for none, and those in m.

    Of equal ones that of the smallest `rank` (of row and value).
    """
    row, value, steps = _summed(row, value, steps, int(value.max(initial=0)) + 1)
    best = np.lexsort((rank(row, value), -steps, row))
    best = best[np.diff(row[best], prepend=-1) != 0]
    most, length = np.full(count, -1, np.int64), np.zeros(count)
    most[row[best]], length[row[best]] = value[best], steps[best] / STEPS
    return most, length


def _feature_rank(pieces: Pieces, chosen: Ints, layer_of: Ints) -> Ints:
    """Return a number for each feature; those of the chosen ones sort by layer, source id and tier."""
    source, tier = pieces.intake.features.source_id, pieces.intake.features.tier
    layer = layer_of.tolist()
    rank = np.zeros(len(layer_of), np.int64)
    rank[sorted(chosen.tolist(), key=lambda one: (layer[one], source[one], tier[one]))] = np.arange(
        len(chosen)
    )
    return rank


# --- merging ---------------------------------------------------------------------------------------


def _gathered(court: Court, moving: Mask) -> Ints:
    """Return for each piece the piece it goes to, itself if it stays; `moving`: slivers asked to merge.

    Each round every group that is to move takes the open border it shares most of; two that choose
    each other stay where the larger is, and what is no sliver any more has arrived. A choice runs to
    a border at least as long as the one before it, so that choices never run in a ring of three.
    """
    pieces, partners = court.before, court.partners
    root = np.arange(len(pieces))
    if not moving.any():
        return root
    steps = _whole(partners.length_m[partners.open])
    one, other = court.piece[partners.sliver[partners.open]], partners.piece[partners.open]
    involved, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
    one, other = np.split(numbers.ravel(), 2)
    once = ~np.isin(other, one) | (one < other)  # two slivers stand there both ways round
    one, other, steps = one[once], other[once], steps[once]
    mover = np.isin(involved, court.piece[moving])
    groups = _Groups(pieces, involved, court.asked)
    goes, rank = mover, groups.rank(groups.plane_m2)
    gathered = np.arange(len(involved))
    while True:
        a, b = gathered[one], gathered[other]
        near, far = np.concatenate([a, b]), np.concatenate([b, a])
        rows = (near != far) & goes[near]
        if not rows.any():
            break
        gathered = _targets(near[rows], far[rows], np.tile(steps, 2)[rows], rank)[gathered]
        inner = gathered[one] == gathered[other]
        plane, small = groups.measured(gathered, one[inner], steps[inner])
        arrived = np.bincount(gathered, ~mover, minlength=len(mover)) > 0
        goes, rank = small & ~arrived & (gathered == np.arange(len(mover))), groups.rank(plane)
    root[involved] = involved[gathered]
    return root


class _Groups:
    """Pieces `chosen` of all, measured as groups of them."""

    def __init__(self, pieces: Pieces, chosen: Ints, limits: Slivers) -> None:
        self.limits, self.plane_m2 = limits, pieces.plane_m2[chosen]
        self.perimeter, self.ids = _whole(pieces.perimeter_m[chosen]), _id_numbers(pieces)[chosen]

    def measured(self, of: Ints, inner: Ints, steps: Ints) -> tuple[Floats, Mask]:
        """Return the areas of groups and which are slivers; `of`: group of each piece.

        `inner`: a piece at each border inside a group, `steps` long.
        """
        count = len(of)
        plane = np.bincount(of, self.plane_m2, minlength=count)
        around = np.bincount(of, self.perimeter, minlength=count)
        around -= 2 * np.bincount(of[inner], steps, minlength=count)
        return plane, are_slivers(plane, around / STEPS, self.limits)

    def rank(self, plane: Floats) -> Ints:
        """Return the place of each group in the order of larger area, then smaller id."""
        rank = np.empty(len(plane), np.int64)
        rank[np.lexsort((self.ids, -plane))] = np.arange(len(plane))
        return rank


def _targets(near: Ints, far: Ints, steps: Ints, rank: Ints) -> Ints:
    """Return where every group ends up that goes to the one it shares the longest border with."""
    count = len(rank)
    near, far, steps = _summed(near, far, steps, count)
    best = np.lexsort((rank[far], -steps, near))
    best = best[np.diff(near[best], prepend=-1) != 0]
    target = np.arange(count)
    target[near[best]] = far[best]
    mutual = np.flatnonzero((target[target] == np.arange(count)) & (target != np.arange(count)))
    stays = mutual[rank[mutual] < rank[target[mutual]]]
    target[stays] = stays
    while not np.array_equal(target, target[target]):
        target = target[target]
    return target


def _merged(pieces: Pieces, root: Ints, border: Borders, job: Job) -> tuple[Pieces, Ints]:
    """Return the pieces with each in that of its root, and the number each is now in.

    Labels are those of the roots; areas are sums, and closed anew; borders keep every node.
    """
    lead = np.flatnonzero(root == np.arange(len(root)))
    number = np.full(len(pieces), -1, np.int64)
    number[lead] = np.arange(len(lead))
    into = number[root]
    of_face = np.append(into, -1)[pieces.piece_of_face]
    redrawn, ids = _redrawn(pieces, lead, into, of_face)
    left, right = (np.append(of_face, -1)[side] for side in (border.left, border.right))
    inner = (left == right) & (left >= 0)

    def total(values: Floats) -> Floats:
        return np.bincount(into, values, minlength=len(lead))

    within = np.bincount(left[inner], border.length_m[inner], minlength=len(lead))
    plane, ellipsoidal = total(pieces.plane_m2), total(pieces.ellipsoidal_m2)
    controls = [job.options.control_areas.get(district.code) for district in pieces.districts]
    district = pieces.district[lead]
    closed, adjustments = close_districts(np.maximum(ellipsoidal, 0.0), district, controls, ids)
    rows = number[pieces.label_piece] >= 0
    perimeter = total(pieces.perimeter_m) - 2 * within
    merged = replace(
        pieces,
        face=pieces.face[lead],
        piece_of_face=of_face,
        redrawn=redrawn,
        piece_id=ids,
        district=district,
        combo=pieces.combo[lead],
        land=None if pieces.land is None else pieces.land[lead],
        label_piece=number[pieces.label_piece[rows]],
        label_feature=pieces.label_feature[rows],
        plane_m2=plane,
        perimeter_m=perimeter,
        ellipsoidal_m2=ellipsoidal,
        area_centi=closed,
        adjustments=adjustments,
        sliver=are_slivers(plane, perimeter, job.options.slivers),
    )
    return merged, into


def _redrawn(
    pieces: Pieces, lead: Ints, into: Ints, of_face: Ints
) -> tuple[NDArray[Any], NDArray[np.bytes_]]:
    """Return WKB (None where nothing was merged) and ids of merged pieces.

    Raises InvariantViolated ``merged`` where one falls apart.
    """
    changed = np.append(np.bincount(into, minlength=len(lead)) > 1, False)
    made = pieces.partition.dissolve(np.where(changed[of_face], of_face, -1))
    if not np.array_equal(np.sort(made.key), np.flatnonzero(changed)):
        raise InvariantViolated("merged", None, count=abs(len(made.key) - int(changed.sum())))
    redrawn, ids = np.full(len(lead), None, object), pieces.piece_id[lead]
    redrawn[made.key] = shapely.to_wkb(made.polygons)
    ids[made.key] = id_digits(made.id)
    return redrawn, ids


def prove_merged(before: Pieces, after: Pieces, into: Ints) -> None:
    """Prove that merged pieces are made of their pieces, and that what the law says of the ground stays.

    Raises InvariantViolated: ``merged`` (a piece that is not valid, or not exactly the ground of its
    pieces, or a total that is another), ``merged_law`` (ground whose district, decision or
    statutory membership changed), ``members``.
    """
    ledger.prove_joined(before, after, into)
    for mine, theirs in ((_law(before), _law(after)), (_ground(before), _ground(after))):
        moved = np.flatnonzero(mine != theirs[into])
        if len(moved):
            place = before.partition.place(int(before.face[moved[0]]))
            raise InvariantViolated("merged_law", place, count=len(moved))
    ledger.prove_members(after)


# --- what is told ----------------------------------------------------------------------------------


def findings(court: Court) -> Iterator[Finding]:
    """Yield what was merged, what could not be, and what verdicts are of no use any more."""
    yield from _told(court, "slivers.merged", court.is_in("merged"), left=len(court.pieces))
    yield from _told(court, "slivers.stuck", court.is_in("stuck") & ~court.decided(MERGE))
    wanted = court.decided(MERGE)
    yield from _told(court, "slivers.refused", court.is_in("stuck") & wanted & ~court.outdated)
    yield from _told(court, "slivers.outdated", court.outdated & wanted)
    rows = court.known.rows
    yield from verdicts.told("slivers.unmatched", rows, court.match.unmatched)
    yield from verdicts.told("slivers.overruled", rows, court.match.overruled)


def _told(court: Court, code: str, which: Mask, **facts: Any) -> Iterator[Finding]:
    """Yield one finding for all slivers chosen, at the largest of them."""
    if which.any():
        worst = int(np.argmax(np.where(which, court.plane_m2, -1.0)))
        area = float(court.plane_m2[which].sum())
        facts = {"count": int(which.sum()), "area_m2": round(area, 4), **facts}
        place = float(court.place[worst, 0]), float(court.place[worst, 1])
        yield Finding(code, facts, place=place, measure_m2=area)


def entries(court: Court) -> Iterator[Entry]:
    """Yield the totals of merging for the ledger."""
    merged = court.is_in("merged")
    if merged.any():
        yield Entry("slivers_merged", int(merged.sum()), "1", "into pieces that differ in features at most")
        yield Entry("slivers_merged_area", float(court.plane_m2[merged].sum()), "m2")
        yield Entry("pieces_after_merging", len(court.pieces), "1")


def summary(court: Court) -> dict[str, Any]:
    """Return what ``summary.json`` says of slivers, areas in m2 on the plane where nothing else is said."""
    asked, match, known = court.asked, court.match, court.known
    return {
        "limits": {"area_m2": asked.area_m2, "mean_width_m": asked.mean_width_m},
        "merge": asked.merge,
        **_sums(court, np.ones(len(court), bool)),
        "left": int(court.pieces.sliver.sum()),
        "groups": _groups(court),
        "changed": _changed_roles(court),
        "decisions": {
            "file": known.path,
            "sha256": known.sha256,
            "near_m": verdicts.NEAR_M,
            "size_factor": verdicts.SIZE_FACTOR,
            "keep": int(court.decided(KEEP).sum()),
            "merge": int(court.decided(MERGE).sum()),
            "unmatched": len(match.unmatched),
            "overruled": len(match.overruled),
            "outdated": int(court.outdated.sum()),
        },
    }


def _sums(court: Court, which: Mask) -> dict[str, Any]:
    merged = which & court.is_in("merged")
    area = court.plane_m2
    return {
        "count": int(which.sum()),
        "plane_m2": float(area[which].sum()),
        "median_m2": float(np.median(area[which])) if which.any() else 0.0,
        "length_m": float(court.length_m[which].sum()),
        "can_merge": int((which & (court.receiver >= 0)).sum()),
        "merged": int(merged.sum()),
        "merged_m2": float(area[merged].sum()),
        **{state: int((which & court.is_in(state)).sum()) for state in ("received", "kept", "stuck")},
    }


def pairs(court: Court) -> tuple[list[tuple[tuple[str, str], tuple[str, str]]], Ints]:
    """Return the distinct pairs of (role, layer) whose lines make slivers, sorted, and each sliver's."""
    known, layer_of = layer_names(court.before)
    names = [*known, ("", "")]
    layer = np.append(layer_of, len(known))
    one, other = layer[court.lines.first], layer[court.lines.second]
    keys = np.minimum(one, other) * len(names) + np.maximum(one, other)
    present, number = np.unique(keys, return_inverse=True)
    return [(names[key // len(names)], names[key % len(names)]) for key in present.tolist()], number.ravel()


def _groups(court: Court) -> list[dict[str, Any]]:
    """Return sums by pair of layers, the most slivers first."""
    known, number = pairs(court)
    order, starts = group(number)
    rows = []
    for members in np.split(order, starts[1:]) if len(starts) else []:
        sides = [{"role": role, "layer": layer} for role, layer in known[number[members[0]]] if role]
        which = np.zeros(len(court), bool)
        which[members] = True
        rows.append({"lines": sides, **_sums(court, which)})
    return sorted(rows, key=lambda row: (-row["count"], [(s["role"], s["layer"]) for s in row["lines"]]))


def _changed_roles(court: Court) -> list[dict[str, Any]]:
    """Return the areas of roles by tier before and after merging, where a feature of them changed."""
    features, layers = court.before.intake.features, court.before.intake.layers
    kinds: dict[tuple[str, str], list[int]] = {}
    for feature in changed_features(court)[0].tolist():
        kinds.setdefault((layers[features.layer[feature]].role, features.tier[feature]), []).append(feature)
    sums = {
        f"{column}_{when}": _of_features(pieces, column)
        for column in ("plane_m2", "ellipsoidal_m2")
        for when, pieces in (("before", court.before), ("after", court.pieces))
    }
    return [
        {
            "role": role,
            "tier": tier,
            "features": len(changed),
            **{name: float(values[changed].sum()) for name, values in sums.items()},
        }
        for (role, tier), changed in sorted(kinds.items())
    ]


def _of_features(pieces: Pieces, column: str) -> Floats:
    """Return the area of each feature: that of its pieces."""
    values = getattr(pieces, column)[pieces.label_piece]
    return np.bincount(pieces.label_feature, values, minlength=len(pieces.intake.features.source_id))


def changed_features(court: Court) -> tuple[Ints, Floats, Floats]:
    """Return the features that gained or lost ground by merging, with plane areas before and after."""
    if court.pieces is court.before:
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    before, after = (_of_features(pieces, "plane_m2") for pieces in (court.before, court.pieces))
    changed = np.flatnonzero(np.abs(after - before) > _WORTH_TELLING)
    return changed, before[changed], after[changed]


def part(court: Court, start: int, stop: int) -> Court:
    """Return the court with only the slivers start .. stop - 1: to write many of them a few at a time."""
    rows = slice(start, stop)
    first, last = np.searchsorted(court.partners.sliver, [start, stop])
    near = slice(int(first), int(last))
    p, lines = court.partners, court.lines
    return replace(
        court,
        piece=court.piece[rows],
        place=court.place[rows],
        lines=Lines(lines.first[rows], lines.second[rows], lines.first_m[rows], lines.second_m[rows]),
        partners=Partners(p.sliver[near] - start, p.piece[near], p.length_m[near], p.open[near]),
        receiver=court.receiver[rows],
        receiver_m=court.receiver_m[rows],
        advice=court.advice[rows],
        state=court.state[rows],
        match=replace(court.match, of_sliver=court.match.of_sliver[rows]),
        outdated=court.outdated[rows],
    )


def columns(court: Court, lang: str) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return the layer ``slivers``: a point (WKB) and the facts of each."""
    before, after, lines = court.before, court.pieces, court.lines
    decisions = [combo.decision for combo in before.combos]
    combo = before.combo[court.piece]
    reasons = [sentence(code, {}, lang) for code in ADVICE]
    known, number = pairs(court)
    names = [" × ".join(layer for _, layer in pair if layer) for pair in known]
    members = [json.dumps(statutory(combo), ensure_ascii=False) for combo in before.combos]
    district = before.district[court.piece]
    told = {
        "sliver_id": _ids(before, court.piece),
        "area_m2": court.plane_m2,
        "width_m": court.width_m,
        "length_m": court.length_m,
        "zone": _picked([decision["zone"] for decision in decisions], combo),
        "status": _picked([decision["status"] for decision in decisions], combo),
        "members": _picked(members, combo),
        "district_code": _picked([one.code for one in before.districts], district),
        "lines": _picked(names, number),
        **_side(before, "1", lines.first, lines.first_m),
        **_side(before, "2", lines.second, lines.second_m),
        **_partner_columns(court),
        "advice": _picked(["merge" if code == "slivers.merge" else "keep" for code in ADVICE], court.advice),
        "why": _picked(reasons, court.advice),
        "state": _picked(STATES, court.state),
        "into": _ids(after, np.where(court.is_in("merged"), court.into[court.piece], -1)),
        **{
            name: _picked([getattr(row, name) for row in court.known.rows], court.match.of_sliver)
            for name in ("decision", "reason", "who", "date")
        },
        "east": court.place[:, 0],
        "north": court.place[:, 1],
    }
    return shapely.to_wkb(shapely.points(court.place)), told


def _ids(pieces: Pieces, numbers: Ints) -> NDArray[Any]:
    """Return the ids of pieces as texts, None for -1."""
    column = pieces.piece_id[numbers].astype(str).astype(object)
    column[numbers < 0] = None
    return column


def _picked(values: Sequence[str], numbers: Ints) -> NDArray[Any]:
    """Return the texts of these numbers, None for -1."""
    column = np.empty(len(values) + 1, object)
    column[:-1] = values
    return column[numbers]


def _side(pieces: Pieces, side: str, feature: Ints, length: Floats) -> dict[str, NDArray[Any]]:
    """Return the columns that name one of the two lines of each sliver."""
    known, layer_of = layer_names(pieces)
    layer = np.append(layer_of, -1)[feature]
    return {
        f"role_{side}": _picked([role for role, _ in known], layer),
        f"layer_{side}": _picked([name for _, name in known], layer),
        f"source_{side}": _picked(pieces.intake.features.source_id, feature),
        f"along_{side}_m": length,
    }


def _partner_columns(court: Court) -> dict[str, NDArray[Any]]:
    """Return the neighbour with the longest border, the one to merge into, and all by their borders."""
    partners = court.partners
    first = np.flatnonzero(np.diff(partners.sliver, prepend=-1) != 0)
    counts = np.diff(np.append(first, len(partners.sliver)))
    piece, length = np.full(len(court), -1, np.int64), np.zeros(len(court))
    piece[partners.sliver[first]], length[partners.sliver[first]] = (
        partners.piece[first],
        partners.length_m[first],
    )
    told = ragged(first, np.minimum(counts, _PARTNERS_TOLD))
    named = _ids(court.before, partners.piece[told]).tolist()
    texts: list[list[str]] = [[] for _ in range(len(court))]
    for sliver, name, metres in zip(partners.sliver[told].tolist(), named, partners.length_m[told].tolist()):
        texts[sliver].append(f"{name}:{metres:.4f}")
    joined = np.empty(len(court), object)
    joined[:] = [";".join(text) for text in texts]
    return {
        "partner": _ids(court.before, piece),
        "partner_m": length,
        "partners": joined,
        "receiver": _ids(court.before, court.receiver),
        "receiver_m": court.receiver_m,
    }


def rows(court: Court, lang: str) -> Iterator[Row]:
    """Yield rows of the table ``ledger``: each merge, each verdict of no use, each feature that changed.

    Of a merge: the sliver, the piece it is in now, plane areas of both, the place and why. Of a
    feature: layer, source id, plane areas before and after.
    """
    merged = np.flatnonzero(court.is_in("merged"))
    numbers, into = court.piece[merged].tolist(), court.into[court.piece[merged]]
    places, after = court.place[merged].T.tolist(), court.pieces
    areas = court.plane_m2[merged].tolist(), after.plane_m2[into].tolist()
    columns = zip(merged.tolist(), numbers, into.tolist(), *areas, court.receiver_m[merged].tolist(), *places)
    for sliver, number, target, before_m2, after_m2, length, east, north in columns:
        note = sentence("slivers.note", {"length_m": f"{length:.4f}", "reason": _reason(court, sliver)}, lang)
        sides = [pieces.piece_id[one].decode() for pieces, one in ((court.before, number), (after, target))]
        yield Row("merged", sides[0], "", before_m2, after_m2, note.strip(), east, north, into=sides[1])
    yield from _verdict_rows(court)
    features, layers = court.before.intake.features, court.before.intake.layers
    for feature, *areas in zip(*(column.tolist() for column in changed_features(court))):
        yield Row("area_changed", layers[features.layer[feature]].layer, features.source_id[feature], *areas)


def _reason(court: Court, sliver: int) -> str:
    """Return what the verdict on a sliver says, with who and when."""
    number = court.match.of_sliver[sliver]
    if number < 0:
        return ""
    verdict = court.known.rows[number]
    return " ".join(word for word in (verdict.reason, verdict.who, verdict.date) if word)


def _verdict_rows(court: Court) -> Iterator[Row]:
    """Yield the verdicts that were not carried out, each where it is about."""
    refused = court.decided(MERGE) & court.is_in("stuck") & ~court.outdated
    numbers = court.match.of_sliver
    for entry, chosen in (
        ("verdict_refused", numbers[refused]),
        ("verdict_outdated", numbers[court.outdated]),
        ("verdict_unmatched", court.match.unmatched),
        ("verdict_overruled", court.match.overruled),
    ):
        for verdict in (court.known.rows[number] for number in chosen.tolist()):
            words = [verdict.decision, verdict.reason, verdict.who, verdict.date]
            note = " ".join(word for word in words if word)
            yield Row(entry, "", "", verdict.area_m2, np.nan, note, *verdict.place)
