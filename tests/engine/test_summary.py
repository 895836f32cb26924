# SPDX-License-Identifier: GPL-2.0-or-later
"""The hash of a result's content: blind to order, not to anything a piece is."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from swc_zoning.engine import run, summary


def square(x0, y0, x1, y1):
    return shapely.box(500000 + x0, 3450000 + y0, 500000 + x1, 3450000 + y1)


@pytest.fixture
def pieces(make_job):
    job = make_job(
        extent=[
            (square(0, 0, 100, 100), {"code": "1", "name": "甲"}),
            (square(100, 0, 200, 100), {"code": "2", "name": "乙"}),
        ],
        landuse_status=[(square(20, 20, 160, 60), {"tier": "forest", "id": "林1"})],
        ecological_redline=[
            (square(40, 0, 120, 50), {"tier": "biodiversity", "id": "h1"}),
            (square(60, 0, 70, 100), {"tier": "biodiversity", "id": "h2"}),
        ],
    )
    return run.run(job).pieces


def with_features(pieces, **changed):
    return replace(pieces, intake=replace(pieces.intake, features=replace(pieces.intake.features, **changed)))


def renamed(texts, old, new):
    assert old in texts
    return [new if text == old else text for text in texts]


def with_other_decision(pieces):
    first, *rest = pieces.combos
    return replace(pieces, combos=[replace(first, decision={**first.decision, "grade": 9}), *rest])


CHANGES = {
    "place": lambda p: replace(p, piece_id=np.array([b"f" * 16, *p.piece_id[1:]])),
    "district": lambda p: replace(p, district=p.district[::-1].copy()),
    "decision": with_other_decision,
    "area": lambda p: replace(p, area_centi=p.area_centi + (np.arange(len(p)) == 1)),
    "source": lambda p: with_features(p, source_id=renamed(p.intake.features.source_id, "h2", "h3")),
    "tier": lambda p: with_features(p, tier=renamed(p.intake.features.tier, "forest", "grassland")),
    "label": lambda p: replace(p, label_feature=np.where(p.label_feature == 4, 3, p.label_feature)),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_content_hash_sees_every_change(pieces, what):
    assert summary.content_sha256(CHANGES[what](pieces)) != summary.content_sha256(pieces)


def test_content_hash_does_not_see_order_or_blocks(pieces, monkeypatch):
    whole = summary.content_sha256(pieces)
    rows = np.lexsort((-pieces.label_feature, pieces.label_piece))
    turned = replace(pieces, label_piece=pieces.label_piece[rows], label_feature=pieces.label_feature[rows])
    assert summary.content_sha256(turned) == whole
    monkeypatch.setattr(summary, "_BLOCK", 3)
    blocks = list(summary.piece_digests(pieces))
    assert [len(block) for block in blocks[:-1]] == [3] * (len(blocks) - 1)
    assert summary.content_of(np.concatenate(blocks)) == whole
    assert summary.content_of(np.concatenate(blocks[::-1])) == whole


def test_two_equal_pieces_are_not_none():
    digests = np.frombuffer(b"".join(bytes([i]) * 32 for i in (7, 7, 9)), np.uint8).reshape(-1, 32)
    hashes = {summary.content_of(digests[rows]) for rows in ([0, 1, 2], [0, 2], [2], [])}
    assert len(hashes) == 4


def test_digests_that_begin_alike_are_ordered_by_the_rest():
    one, other = np.zeros((2, 32), np.uint8)
    other[31] = 1
    assert summary.content_of(np.array([one, other])) == summary.content_of(np.array([other, one]))
