# SPDX-License-Identifier: GPL-2.0-or-later
"""Roles a layer can play, their tiers, and how both are recognised.

All words are in ``resources/roles.json``. A role says what a layer means in law (ecological red line,
drinking-water source ...). Any other id ``[a-z][a-z0-9_]*`` is a free role: it is carried through but
decides nothing.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from swc_zoning.engine.messages import Finding
from swc_zoning.paths import resource

UNKNOWN = "unknown"

_ID = re.compile(r"[a-z][a-z0-9_]*")
_CODED = re.compile(r"\d{2}[0-9a-z]*")
_SHAPEFILE_NAME = 10
_LONG_CODE = 5

# How far each kind of evidence carries, as the chance that the role is right: our choice, of no standard.
_BY_CODE, _BY_WORD, _BY_SHORT_WORD, _BY_FIELDS = 0.9, 0.8, 0.6, 0.75
_SHARED, _NOT_POLYGON = 0.6, 0.3


@dataclass(frozen=True)
class Tier:
    """One tier of a role; `aliases` are the words and codes that data use for it."""

    id: str
    name_zh: str
    name_en: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """A known role; `param` is its parameter in QGIS, `expected` whether the shipped city should have it.

    `kind` is "control" (zone rules use it), "context", "supporting" or "extent". `when_missing` is the
    tier of a feature that carries no value; `prefixes` maps starts of codes to tiers, longest first.
    """

    id: str
    param: str
    kind: str
    expected: bool
    name_zh: str
    name_en: str
    tiers: tuple[Tier, ...]
    when_missing: str
    prefixes: Mapping[str, str]
    codes: tuple[str, ...]
    words: tuple[str, ...]
    fields: tuple[str, ...]
    tier_fields: tuple[str, ...]
    id_fields: tuple[str, ...]
    name_fields: tuple[str, ...]

    @property
    def tier_ids(self) -> tuple[str, ...]:
        """Return the canonical tier ids, "unknown" not among them."""
        return tuple(tier.id for tier in self.tiers)


@dataclass(frozen=True)
class Recognition:
    """A guess at what a layer is: `confidence` 0..1 and the `reasons` for it, never empty.

    The three fields are names as the layer spells them, "" where none was recognised.
    """

    role: str
    confidence: float
    reasons: tuple[Finding, ...]
    tier_field: str
    id_field: str
    name_field: str


def all_roles() -> tuple[Role, ...]:
    """Return every known role that an input layer can play, in the order of the data; not the extent."""
    return tuple(role for role in _roles().values() if role.kind != "extent")


def extent_role() -> Role:
    """Return the role of the plan extent (``admin_extent``)."""
    return next(role for role in _roles().values() if role.kind == "extent")


def find(role_id: str) -> Role | None:
    """Return the role (the extent's included), or None if the id is not a known one."""
    return _roles().get(role_id)


def is_valid_id(role_id: str) -> bool:
    """Return whether `role_id` can name a role, known or free."""
    return _ID.fullmatch(role_id) is not None


def nearest(role_id: str) -> str:
    """Return the known role id that is spelt most like `role_id`."""
    return get_close_matches(role_id.casefold(), list(_roles()), 1, 0.0)[0]


def canonical_tier(role_id: str, value: Any, job_map: Mapping[str, str] | None = None) -> str:
    """Return the canonical tier of an attribute `value`; "" where the role has no tiers.

    `job_map` (raw value -> tier id or alias) goes before the shipped words. Case, width and blanks do
    not matter; 1, 1.0 and "1" are the same. What is not recognised is "unknown"; a missing value is
    the role's only tier, else its tier for missing values, else "unknown".
    """
    role = find(role_id)
    if role is None or not role.tiers:
        return ""
    text = _text(value)
    if job_map:
        mapped = {_key(raw): tier for raw, tier in job_map.items()}.get(_key(text))
        text = text if mapped is None else mapped
    return _canonical(role_id, text)


@lru_cache(maxsize=65536)
def _canonical(role_id: str, text: str) -> str:
    role = _roles()[role_id]
    key = _key(text)
    if key in _missing_words():
        return role.tiers[0].id if len(role.tiers) == 1 else role.when_missing or UNKNOWN
    return _tier_words(role_id).get(key) or _by_prefix(role, key) or UNKNOWN


def missing_words() -> tuple[str, ...]:
    """Return the words that data use for no value."""
    return tuple(_document()["missing_words"])


def _by_prefix(role: Role, key: str) -> str:
    if not _CODED.fullmatch(key):
        return ""
    starts = (key[:length] for length in range(len(key), 0, -1))
    return next((role.prefixes[start] for start in starts if start in role.prefixes), "")


def recognise(layer_name: str, fields: Iterable[str], geometry_type: str = "") -> list[Recognition]:
    """Return the roles that a layer may play, best first, each with its reasons; empty if none fits.

    `layer_name` is the bare name of the layer, `fields` its field names, `geometry_type` an OGR or
    QGIS name of the geometry type ("" if not known). One layer may fit several roles (a layer of all
    protected areas): then each says so, and the user chooses.
    """
    by_name = _name_evidence(layer_name)
    by_fields = _field_evidence(list(fields))
    found = [
        _recognition(role, by_name.get(role, []), by_fields.get(role), list(fields), geometry_type)
        for role in _roles()
        if role in by_name or role in by_fields
    ]
    order = {role: place for place, role in enumerate(_roles())}
    return sorted(found, key=lambda one: (-one.confidence, order[one.role]))


def fields_for(role_id: str, fields: Iterable[str]) -> tuple[str, str, str]:
    """Return the tier, id and name field of a layer in this role, as it spells them; "" for none."""
    role, present = find(role_id), list(fields)
    if role is None:
        return "", "", ""
    return tuple(_field(names, present) for names in (role.tier_fields, role.id_fields, role.name_fields))


def _recognition(
    role_id: str,
    named: list[tuple[float, Finding]],
    fielded: tuple[float, Finding] | None,
    fields: Sequence[str],
    geometry_type: str,
) -> Recognition:
    evidence = named + ([fielded] if fielded else [])
    confidence = 1.0
    for chance, _ in evidence:
        confidence *= 1 - chance
    confidence = 1 - confidence
    reasons = [reason for _, reason in evidence]
    if geometry_type and "polygon" not in geometry_type.casefold():
        confidence *= _NOT_POLYGON
        reasons.append(Finding("roles.not_polygon", {"geometry_type": geometry_type}))
    role = _roles()[role_id]
    chosen = (_field(names, fields) for names in (role.tier_fields, role.id_fields, role.name_fields))
    return Recognition(role_id, round(confidence, 3), tuple(reasons), *chosen)


def _name_evidence(layer_name: str) -> dict[str, list[tuple[float, Finding]]]:
    """Return for each role the evidence in the name; words inside longer words do not count."""
    code_hits = _longest(_code_hits(layer_name))
    word_hits = _longest(_word_hits(layer_name))
    evidence: dict[str, list[tuple[float, Finding]]] = {}
    for hits, weigh in ((code_hits, _weigh_code), (word_hits, _weigh_word)):
        for role, word in _best_hit(hits).items():
            sharing = sorted({other for other, other_word, _ in hits if other_word == word} - {role})
            evidence.setdefault(role, []).append(weigh(word, ", ".join(sharing)))
    return evidence


def _weigh_code(word: str, others: str) -> tuple[float, Finding]:
    if others:
        return _BY_CODE * _SHARED, Finding("roles.by_code_shared", {"word": word, "others": others})
    return _BY_CODE, Finding("roles.by_code", {"word": word})


def _weigh_word(word: str, others: str) -> tuple[float, Finding]:
    chance = _BY_WORD if len(word) > 2 else _BY_SHORT_WORD
    if others:
        return chance * _SHARED, Finding("roles.by_name_shared", {"word": word, "others": others})
    return chance, Finding("roles.by_name", {"word": word})


#: (role id, word, (begin, end) in the name)
_Hit = tuple[str, str, tuple[int, int]]


def _code_hits(layer_name: str) -> list[_Hit]:
    name = unicodedata.normalize("NFKC", layer_name).upper()
    hits = []
    for role in _roles().values():
        for code in role.codes:
            # Short codes such as SD must stand alone; long ones may carry prefixes and years.
            edge = "" if len(code) >= _LONG_CODE else r"(?<![A-Z]){}(?![A-Z])"
            pattern = edge.format(code) if edge else code
            hits += [(role.id, code, match.span()) for match in re.finditer(pattern, name)]
    return hits


def _word_hits(layer_name: str) -> list[_Hit]:
    name = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", layer_name).casefold())
    hits = []
    for role in _roles().values():
        for word in role.words:
            plain = word.casefold()
            pattern = rf"\b{re.escape(plain)}\b" if plain.isascii() else re.escape(plain)
            hits += [(role.id, word, match.span()) for match in re.finditer(pattern, name)]
    return hits


def _longest(hits: list[_Hit]) -> list[_Hit]:
    spans = {span for _, _, span in hits}
    return [hit for hit in hits if not any(_inside(hit[2], other) for other in spans)]


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _best_hit(hits: list[_Hit]) -> dict[str, str]:
    best: dict[str, str] = {}
    for role, word, _ in hits:
        best[role] = max(best.get(role, ""), word, key=len)
    return best


def _field_evidence(fields: Sequence[str]) -> dict[str, tuple[float, Finding]]:
    """Return for each role how far its telling fields go; a field that several roles have counts less."""
    shares = Counter(field for role in _roles().values() for field in role.fields)
    evidence = {}
    for role in _roles().values():
        present = [name for name in role.fields if _field([name], fields)]
        if present:
            score = sum(1 / shares[name] for name in present)
            chance = _BY_FIELDS * (1 - 0.5**score)
            evidence[role.id] = (chance, Finding("roles.by_fields", {"fields": ", ".join(present)}))
    return evidence


def _field(names: Iterable[str], fields: Sequence[str]) -> str:
    """Return the first of `names` that the layer has, as it spells it; Shapefile cuts names to 10."""
    present = {_key(field): field for field in reversed(fields)}
    for name in names:
        for spelling in (_key(name), _key(name[:_SHAPEFILE_NAME])):
            if spelling in present:
                return present[spelling]
    return ""


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return str(value)


@lru_cache(maxsize=65536)
def _key(text: str) -> str:
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", text)).casefold()


@lru_cache(maxsize=1)
def _missing_words() -> frozenset[str]:
    return frozenset(_key(word) for word in ["", *_document()["missing_words"]])


@cache
def _tier_words(role_id: str) -> dict[str, str]:
    tiers = _roles()[role_id].tiers
    words = {_key(word): tier.id for tier in tiers for word in (tier.name_zh, tier.name_en, *tier.aliases)}
    words.update({_key(tier.id): tier.id for tier in tiers})
    words[_key(UNKNOWN)] = UNKNOWN
    return words


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return json.loads(resource("roles.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _roles() -> dict[str, Role]:
    return {entry["id"]: _role(entry) for entry in _document()["roles"]}


def _role(entry: Mapping[str, Any]) -> Role:
    tiers = tuple(Tier(**{**tier, "aliases": tuple(tier["aliases"])}) for tier in entry["tiers"])
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Role(**{**entry, **lists, "tiers": tiers})
