# SPDX-License-Identifier: GPL-2.0-or-later
"""The tier doctor: where a job names no tier for a role that has tiers, find what could tell them.

A word in the name of the layer, a field whose values are tier words, rings that lie in each other,
or a map of every word by hand: all are told with their proof and offered as changes of the entry.
Until one is chosen the tier stays unknown. :func:`roles.canonical_tier` alone says what a word means.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import shapely
from numpy.typing import NDArray

from swc_zoning.engine import attributes, roles
from swc_zoning.engine.messages import Finding, Fix
from swc_zoning.paths import resource

#: A field is a candidate where it recognises this share of the features; our choice.
_MOSTLY = 0.5
#: More distinct words than this are names or numbers, not tiers; our choice.
_MOST_WORDS = 200
#: Cells (features x fields) that are read only to look for tiers.
_MOST_CELLS = 1_000_000
_SHOWN_WORDS, _MOST_NESTED = 12, 200
#: More ways are no choice.
_MOST_FIELDS = 5
#: Share of an inner zone's area that must lie in its outer zone, or of its hull where it is a ring.
_INSIDE = 0.98


@dataclass(frozen=True)
class Candidate:
    """One way to tell tiers: the `change` of the entry, the tier of each feature, what proves it.

    `change` is empty where a job cannot say it: rings without an id to name them.
    """

    by: str
    change: dict[str, Any]
    tiers: tuple[str, ...]
    share: float
    facts: dict[str, Any]


@lru_cache(maxsize=1)
def _nested() -> dict[str, list[str]]:
    document = json.loads(resource("tiers.json").read_text(encoding="utf-8"))
    return {row["role"]: row["tiers"] for row in document["nested"]}


def is_open(role_id: str, tier: Mapping[str, Any] | None) -> bool:
    """Return whether `role_id` has several tiers and the entry says nothing of them."""
    role = roles.find(role_id)
    several = role is not None and len(role.tiers) > 1
    return several and not tier and roles.canonical_tier(role_id, None) == roles.UNKNOWN


def meaning_of(role_id: str, word: str, given: Mapping[str, str] | None = None) -> str:
    """Return the tier of a word as it stands, else without marks of a number and unseen characters."""
    tier = roles.canonical_tier(role_id, word, given)
    plain = attributes.same_code(word) if tier == roles.UNKNOWN else word
    return tier if plain == word else roles.canonical_tier(role_id, plain, given)


def fields_to_try(role_id: str, fields: Sequence[str], count: int) -> list[str]:
    """Return the fields worth reading for tiers: all, or of a large layer those known to carry tiers."""
    if count * len(fields) <= _MOST_CELLS:
        return list(fields)
    role = roles.find(role_id)
    known = {name.casefold() for name in role.tier_fields} if role else set()
    return [name for name in fields if name.casefold() in known]


# --- what could tell the tiers ---------------------------------------------------------------------


def tell(
    entry: int | None,
    role_id: str,
    names: Sequence[str],
    columns: Mapping[str, NDArray[Any]],
    geometry: NDArray[Any],
    ids: tuple[str, Sequence[str]],
    groups: Sequence[str],
) -> Iterator[Finding]:
    """Yield one finding for a layer without tiers: what could tell them, with the changes that do.

    `names` are the words that name the layer (layer, file), `columns` its fields aligned with the
    polygons, `ids` the id field ("" for none) and the id of each feature, `groups` their names.
    """
    found = [*_by_name(role_id, names, len(geometry)), *_by_fields(role_id, columns)]
    found += [] if found else _by_nesting(role_id, geometry, ids, groups)
    found += [] if found else _by_hand(role_id, columns)
    if not found:
        return
    sure = _sure(found)
    facts = {
        "role": role_id,
        "count": len(geometry),
        "tiers_zh": "、".join(tier.name_zh for tier in _role(role_id).tiers),
        "tiers_en": ", ".join(tier.name_en for tier in _role(role_id).tiers),
        "candidates": [{"by": one.by, "share": round(one.share, 4), **one.facts} for one in found],
        "ways_zh": "；".join(_way(role_id, one, "zh") for one in found),
        "ways_en": "; ".join(_way(role_id, one, "en") for one in found),
    }
    fixes = tuple(Fix(entry, {"tier": one.change}, sure=one is sure) for one in found if one.change)
    yield Finding("tiers.unchosen", facts, fixes=fixes)


def _role(role_id: str) -> roles.Role:
    role = roles.find(role_id)
    if role is None:
        raise ValueError(role_id)
    return role


def _sure(found: Sequence[Candidate]) -> Candidate | None:
    """Return the field that recognises every feature, if no other way gives another answer."""
    whole = [one for one in found if one.by == "field" and one.share == 1.0]
    same = all(one.tiers == whole[0].tiers for one in found) if whole else False
    return whole[0] if same else None


def _by_name(role_id: str, names: Sequence[str], count: int) -> Iterator[Candidate]:
    """Yield the tier whose longest word stands in the name of the layer or file, if it is one alone."""
    hits: dict[str, str] = {}
    for name in names:
        for tier, word in _words_in(role_id, name).items():
            hits[tier] = max(hits.get(tier, ""), word, key=len)
    # 二级保护区 holds no other tier, but 准保护区 and 一级、二级保护区 of one name tell nothing.
    if len(hits) == 1:
        tier, word = next(iter(hits.items()))
        yield Candidate("name", {"value": tier}, (tier,) * count, 1.0, {"word": word, "value": tier})


def _words_in(role_id: str, name: str) -> dict[str, str]:
    """Return the tiers whose words stand in `name`; bare digits and words within words do not count."""
    text = unicodedata.normalize("NFKC", name).casefold()
    spans = []
    for tier in _role(role_id).tiers:
        for word in {tier.id, tier.name_zh, tier.name_en, *tier.aliases}:
            plain = unicodedata.normalize("NFKC", word).casefold()
            if len(plain) > 1 and not plain.isdigit():
                bounds = (
                    rf"(?<![a-z0-9]){re.escape(plain)}(?![a-z0-9])" if plain.isascii() else re.escape(plain)
                )
                spans += [(match.span(), tier.id, word) for match in re.finditer(bounds, text)]
    longest = [one for one in spans if not any(_within(one[0], other[0]) for other in spans)]
    return {tier: word for _, tier, word in longest}


def _within(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _by_fields(role_id: str, columns: Mapping[str, NDArray[Any]]) -> list[Candidate]:
    """Return the fields that recognise most features, best first, those known for the role before others."""
    known = [name.casefold() for name in _role(role_id).tier_fields]
    found = []
    for field, values in columns.items():
        words = _counted(values)
        if not words or len(words) > _MOST_WORDS:
            continue
        meaning = {word: meaning_of(role_id, word) for word in words}
        share = sum(n for word, n in words.items() if word and meaning[word] != roles.UNKNOWN) / len(values)
        if share >= _MOSTLY:
            found.append(_field_candidate(role_id, field, values, words, meaning, share))
    place = {field: known.index(field.casefold()) for field in columns if field.casefold() in known}
    ranked = sorted(found, key=lambda one: (-one.share, place.get(one.facts["field"], len(known))))
    return ranked[:_MOST_FIELDS]


def _field_candidate(
    role_id: str,
    field: str,
    values: NDArray[Any],
    words: Mapping[str, int],
    meaning: Mapping[str, str],
    share: float,
) -> Candidate:
    told = [_told_word(role_id, word, count, meaning[word]) for word, count in words.items()]
    mapped = {one["word"]: one["nearest"] for one in told if one["nearest"]}
    change = {"field": field, "map": mapped} if mapped else {"field": field}
    tiers = tuple(meaning[as_word(value)] for value in values.tolist())
    return Candidate("field", change, tiers, share, {"field": field, "words": told})


def _told_word(role_id: str, word: str, count: int, tier: str) -> dict[str, Any]:
    """Return a word with its count, its tier and, where it means none, the tier and alias most like it."""
    near, alias = nearest_alias(role_id, word) if word and tier == roles.UNKNOWN else ("", "")
    return {"word": word, "count": count, "tier": tier, "nearest": near, "alias": alias}


def _counted(values: NDArray[Any]) -> dict[str, int]:
    """Return the words of a column with their counts, most frequent first; {} where they are no words."""
    raw = values.tolist()
    first = raw[: 10 * _MOST_WORDS]
    # A look at the head spares counting a column of names or numbers.
    if any(isinstance(value, (bytes, list, dict)) for value in first) or len(set(first)) > _MOST_WORDS:
        return {}
    counts: Counter[str] = Counter()
    for value, count in Counter(raw).items():
        counts[as_word(value)] += count
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def as_word(value: Any) -> str:
    """Return a value as the word it is: whole numbers without decimals, nothing for what is missing."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


@lru_cache(maxsize=4096)
def nearest_alias(role_id: str, word: str) -> tuple[str, str]:
    """Return (tier, its alias that is spelt most like `word`); ("", "") where none is like it."""
    from difflib import get_close_matches

    role = roles.find(role_id)
    spelt: dict[str, tuple[str, str]] = {}
    for tier in role.tiers if role else ():
        for alias in (tier.name_zh, tier.name_en, *tier.aliases):
            spelt.setdefault(unicodedata.normalize("NFKC", alias).casefold(), (tier.id, alias))
    plain = unicodedata.normalize("NFKC", word).casefold().strip()
    # A digit is like any other digit: only words are offered.
    names = [name for name in spelt if not name.isdigit()]
    close = get_close_matches(plain, names, 1, 0.5) if not plain.isdigit() else []
    inside = [name for name in names if len(name) > 1 and name in plain]
    best = max(inside, key=len) if inside else close[0] if close else ""
    return spelt.get(best, ("", ""))


def _by_hand(role_id: str, columns: Mapping[str, NDArray[Any]]) -> list[Candidate]:
    """Return the likeliest fields to map by hand: known for tiers, or with words like those of tiers."""
    known = {name.casefold() for name in _role(role_id).tier_fields}
    found = []
    for field, values in columns.items():
        words = _counted(values)
        if not any(words) or len(words) > _MOST_WORDS:
            continue
        meaning = {word: meaning_of(role_id, word) for word in words}
        one = _field_candidate(role_id, field, values, words, meaning, 0.0)
        alike = sum(told["count"] for told in one.facts["words"] if told["nearest"])
        if field.casefold() in known or alike:
            found.append((field.casefold() not in known, -alike, replace(one, by="hand")))
    return [one for *_, one in sorted(found, key=lambda pair: pair[:2])[:_MOST_FIELDS]]


# --- rings -----------------------------------------------------------------------------------------


def _by_nesting(
    role_id: str, geometry: NDArray[Any], ids: tuple[str, Sequence[str]], groups: Sequence[str]
) -> Iterator[Candidate]:
    """Yield the tiers by which zones lie in each other, name by name: a suggestion, never sure.

    A zone is inside another where it lies in it, or in the hole of a ring round it. Only features
    that an id field names can be told apart in a job; others are told by their number.
    """
    order, (field, given) = _nested().get(role_id), ids
    if not order or not 1 < len(geometry) <= _MOST_NESTED:
        return
    named = list(given) if field and len(set(given)) == len(given) else []
    numbers = named or [f"#{row + 1}" for row in range(len(geometry))]
    tiers: dict[int, str] = {}
    told = []
    for name, rows in _grouped(groups).items():
        chain = _chain(geometry, rows)
        if 1 < len(chain) <= len(order) and len(chain) == len(rows):
            tiers.update(zip(chain, order))
            areas = [round(float(shapely.area(geometry[row])), 2) for row in chain]
            told.append({"name": name, "ids": [numbers[row] for row in chain], "areas_m2": areas})
    if told:
        mapped = {named[row]: tier for row, tier in sorted(tiers.items())} if named else {}
        change = {"field": field, "map": mapped} if mapped else {}
        every = tuple(tiers.get(row, roles.UNKNOWN) for row in range(len(geometry)))
        share = len(tiers) / len(geometry)
        yield Candidate("nesting", change, every, share, {"groups": told, "features": len(tiers)})


def _grouped(groups: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each name without the words of its tier, so that rings of one source meet."""
    found: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(groups):
        found[re.sub(r"\s+", "", unicodedata.normalize("NFKC", name))].append(row)
    return found


def _chain(geometry: NDArray[Any], rows: Sequence[int]) -> list[int]:
    """Return `rows` innermost first if each lies within the next; else as far as they do."""
    hulls = {row: _filled(geometry[row]) for row in rows}
    inward = sorted(rows, key=lambda row: (shapely.area(hulls[row]), row))
    chain = inward[:1]
    for row in inward[1:]:
        inner = hulls[chain[-1]]
        if shapely.area(shapely.intersection(inner, hulls[row])) < _INSIDE * shapely.area(inner):
            break
        chain.append(row)
    return chain


def _filled(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return a polygon without its holes."""
    rings = shapely.get_exterior_ring(shapely.get_parts(geometry))
    return shapely.union_all(shapely.polygons(rings))


# --- sentences -------------------------------------------------------------------------------------


def _way(role_id: str, one: Candidate, lang: str) -> str:
    """Return a way to tell tiers in words."""
    from swc_zoning.engine.messages import sentence

    facts = {**one.facts, "percent": round(100 * one.share, 1)}
    if "words" in facts:
        facts["words"] = _listed(role_id, facts["words"], lang)
    if one.by == "name":
        facts["value"] = _tier_name(role_id, facts["value"], lang)
    if one.by == "nesting":
        facts["groups"] = len(facts["groups"])
    return sentence(f"tiers.by_{one.by}", facts, lang)


def _listed(role_id: str, words: Iterable[Mapping[str, Any]], lang: str) -> str:
    shown = []
    for one in words:
        meant = one["tier"] if one["tier"] != roles.UNKNOWN else one["nearest"]
        name = _tier_name(role_id, meant, lang) if meant else "?"
        doubt = "?" if one["tier"] == roles.UNKNOWN and meant else ""
        shown.append(f"{one['word'] or 'NULL'} ({one['count']}) → {name}{doubt}")
    return ", ".join(shown[:_SHOWN_WORDS]) + (" …" if len(shown) > _SHOWN_WORDS else "")


def _tier_name(role_id: str, tier_id: str, lang: str) -> str:
    named: Callable[[roles.Tier], str] = lambda tier: tier.name_zh if lang == "zh" else tier.name_en  # noqa: E731
    return next((named(tier) for tier in _role(role_id).tiers if tier.id == tier_id), tier_id)


def tell_unknown(
    entry: int | None, role_id: str, tier: Mapping[str, Any], words: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield one finding for the words of a chosen field that mean no tier: a map to fill in.

    `words` are all words of the field with their counts.
    """
    given = dict(tier.get("map") or {})
    unknown = [word for word in words if word and meaning_of(role_id, word, given) == roles.UNKNOWN]
    if not unknown or "field" not in tier:
        return
    told = [_told_word(role_id, w, n, meaning_of(role_id, w, given)) for w, n in words.items()]
    mapped = {one["word"]: one["nearest"] for one in told if one["nearest"]}
    doubtful = [one for one in told if one["word"] in unknown]
    change = {"field": tier["field"], "map": {**given, **mapped}}
    facts = {
        "role": role_id,
        "field": tier["field"],
        "count": sum(words[word] for word in unknown),
        "words": told,
        "map_zh": _listed(role_id, doubtful, "zh"),
        "map_en": _listed(role_id, doubtful, "en"),
    }
    yield Finding("tiers.words_unknown", facts, fixes=(Fix(entry, {"tier": change}),) if mapped else ())
