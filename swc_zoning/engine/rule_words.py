# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions, articles and lists of a decision table in words that a planner reads and writes.

``饮用水水源地:一级保护区,二级保护区；生态保护红线`` is two conditions; a role alone means any of its tiers.
Names in Chinese or English and ids are all read. What these words cannot tell exactly is written as
JSON, which is read back too: `written` proves every text by reading it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from swc_zoning.engine import roles
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

Row = Mapping[str, Any]

_LANGUAGES = {"zh": 0, "en": 1}
_SEPARATORS = {"zh": ("；", "，"), "en": ("; ", ", ")}
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|〔[^〕]*〕|[;；\n]|[^;；\n"〔]+|["〔]')
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[,，]|[^,，"]+|"')
_IDS = re.compile(r"[\s,，、;；]+")
_QUOTED = re.compile(r'[",，;；:：\n|〔〕\[\]{}]|^\s|\s$|^$')
_FLAGS = re.compile(r"^(.*?)\s*〔([^〕]*)〕$", re.DOTALL)
#: What XML, and so a workbook, cannot hold or would change.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")
_BY_ITSELF = re.compile(r'^"|^\s|\s$|^$')
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})?~(\d{4}-\d{2}-\d{2})?")


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Return the names of sheets and columns, the words of values and the notes, each as (zh, en)."""
    return json.loads(resource("rule_sheets.json").read_text(encoding="utf-8"))


def written(value: Any, text: str, read: Callable[[str], Any]) -> str:
    """Return `text` if reading it gives `value` again, else `value` as JSON."""
    try:
        if text == text.strip() and not _UNSAFE.search(text) and _same(read(text), value):
            return text
    except SwcError:
        return _plain(value)
    return _plain(value)


def _plain(value: Any) -> str:
    """Return a value as JSON that a workbook can hold."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0][0]):04x}{found[0][1:]}", canonical(value))


def _same(one: Any, other: Any) -> bool:
    # 1 and True are equal in Python, not in JSON.
    return canonical(one) == canonical(other)


def canonical(value: Any) -> str:
    """Return a value as JSON with sorted keys, the same text for the same value and no other."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Any:
    """Return the value of a cell in JSON. Raises SwcError ``rule_words.json``."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise SwcError("rule_words.json", text=text) from error


def is_json(text: str) -> bool:
    """Return whether a text is to be read as JSON."""
    return text[:1] in ("[", "{", '"')


def _key(text: str) -> str:
    return "".join(text.split()).casefold()


# --- single words ----------------------------------------------------------------------------------


def write_text(text: str) -> str:
    """Return a text as a cell shows it: quoted where blanks, control characters or nothing would be lost."""
    return _plain(text) if _BY_ITSELF.search(text) or _UNSAFE.search(text) else text


def read_text(text: str) -> str:
    """Return the text of a cell. Raises SwcError ``rule_words.json``."""
    if not text.startswith('"'):
        return text
    value = from_json(text)
    if not isinstance(value, str):
        raise SwcError("rule_words.json", text=text)
    return value


def write_word(kind: str, value: str, lang: str) -> str:
    """Return the word for a value such as ("force", "statutory"); the value itself where it has none."""
    words = vocabulary()["words"][kind].get(value)
    return words[_LANGUAGES[lang]] if words else value


def read_word(kind: str, text: str) -> str:
    """Return the value of a word or id. Raises SwcError ``rule_words.word``."""
    known = vocabulary()["words"][kind]
    for value, words in known.items():
        if _key(text) in {_key(word) for word in (value, *words)}:
            return value
    allowed = "、".join("/".join(words) for words in known.values())
    raise SwcError("rule_words.word", text=text, allowed=allowed)


def role_name(role_id: str, lang: str) -> str:
    """Return the name of a role, or the id of one that has none."""
    role = roles.find(role_id)
    return role_id if role is None else getattr(role, f"name_{lang}")


def tier_name(role_id: str, tier_id: str, lang: str) -> str:
    """Return the name of a tier of a role, or its id."""
    if tier_id == roles.UNKNOWN:
        return vocabulary()["words"]["unknown"][_LANGUAGES[lang]]
    role = roles.find(role_id)
    names = {tier.id: getattr(tier, f"name_{lang}") for tier in role.tiers} if role else {}
    return names.get(tier_id, tier_id)


@lru_cache(maxsize=1)
def _role_words() -> dict[str, str]:
    known = (*roles.all_roles(), roles.extent_role())
    words = {_key(name): role.id for role in known for name in (role.name_zh, role.name_en)}
    return {**words, **{role.id: role.id for role in known}}


def read_role(text: str) -> str:
    """Return the id of a role by name or id. Raises SwcError ``rule_words.role``."""
    found = _role_words().get(_key(_unquoted(text)))
    if found is None:
        raise SwcError("rule_words.role", text=text, nearest=roles.nearest(_key(text)))
    return found


def read_tier(role_id: str, text: str) -> str:
    """Return the id of a tier by name, id or a word of the data. Raises SwcError ``rule_words.tier``."""
    word = _unquoted(text)
    if _key(word) in {_key(one) for one in (roles.UNKNOWN, *vocabulary()["words"]["unknown"])}:
        return roles.UNKNOWN
    tier = roles.canonical_tier(role_id, word)
    if not word or tier in ("", roles.UNKNOWN):
        role = roles.find(role_id)
        known = "、".join(f"{one.name_zh}/{one.name_en}" for one in role.tiers) if role else ""
        raise SwcError("rule_words.tier", text=text, role=role_id, known=known or "-")
    return tier


def _quoted(text: str) -> str:
    return canonical(text) if _QUOTED.search(text) else text


def _unquoted(text: str) -> str:
    return read_text(text.strip()) if text.strip().startswith('"') else text.strip()


# --- conditions ------------------------------------------------------------------------------------


def write_conditions(conditions: Sequence[Row], lang: str) -> str:
    """Return conditions [{role, tiers | null}] in words of `lang`."""
    outer, inner = _SEPARATORS[lang]
    texts = []
    for condition in conditions:
        role, tiers = condition["role"], condition["tiers"]
        named = [_quoted(tier_name(role, tier, lang)) for tier in tiers or ()]
        texts.append(_quoted(role_name(role, lang)) + (f":{inner.join(named)}" if tiers is not None else ""))
    return written(list(conditions), outer.join(texts), read_conditions)


def read_conditions(text: str) -> list[dict[str, Any]]:
    """Return the conditions that a text means; [] for none.

    Raises SwcError ``rule_words.role``, ``rule_words.tier`` or ``rule_words.json``.
    """
    if text[:1] in ("[", "{"):
        return from_json(text)
    return [_condition(part) for part in _parts(text)]


def _condition(part: str) -> dict[str, Any]:
    whole = re.match(r'\s*("(?:[^"\\]|\\.)*"|[^:：]*)\s*(?:[:：](.*))?$', part, re.DOTALL)
    role = read_role(whole[1] if whole else part)
    if whole is None or whole[2] is None:
        return {"role": role, "tiers": None}
    return {"role": role, "tiers": [read_tier(role, word) for word in _tokens(whole[2])]}


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between semicolons and line ends, outside quotes and 〔〕."""
    yield from _between(_PARTS.findall(text), ";；\n")


def _tokens(text: str) -> list[str]:
    return list(_between(_TOKENS.findall(text), ",，"))


def _between(pieces: Sequence[str], separators: str) -> Iterator[str]:
    part = ""
    for piece in (*pieces, separators[0]):
        if piece in separators:
            if part.strip():
                yield part.strip()
            part = ""
        else:
            part += piece


# --- lists and counts ------------------------------------------------------------------------------


def write_ids(ids: Sequence[str], lang: str) -> str:
    """Return a list of ids."""
    return written(list(ids), ", ".join(ids), read_ids)


def read_ids(text: str) -> list[str]:
    """Return the ids in a text, however they are parted. Raises SwcError ``rule_words.json``."""
    if text.startswith("["):
        return from_json(text)
    return [word for word in _IDS.split(text) if word]


def write_bans(bans: Sequence[Row], lang: str) -> str:
    """Return ``site〔status〕; site〔status〕`` for the kinds of sites a measure keeps out."""
    words = (
        f"{write_word('site', ban['kind'], lang)}〔{write_word('status', ban['status'], lang)}〕"
        for ban in bans
    )
    return written(list(bans), _SEPARATORS[lang][0].join(words), read_bans)


def read_bans(text: str) -> list[dict[str, str]]:
    """Return [{kind, status}]. Raises SwcError ``rule_words.word`` and ``rule_words.json``."""
    if is_json(text):
        return from_json(text)
    bans = []
    for part in filter(None, (part.strip() for part in re.split("[;；]", text))):
        found = _FLAGS.match(part)
        name, status = found.groups() if found else (part, "proposed")
        bans.append({"kind": read_word("site", name), "status": read_word("status", status)})
    return bans


def write_roles_at_least(value: Row, lang: str) -> str:
    """Return ``2: role, role`` for {of, at_least}."""
    named = (_quoted(role_name(role, lang)) for role in value["of"])
    text = f"{value['at_least']}: {_SEPARATORS[lang][1].join(named)}"
    return written(value, text, read_roles_at_least)


def read_roles_at_least(text: str) -> dict[str, Any]:
    """Return {of, at_least}. Raises SwcError ``rule_words.count`` and that of a role."""
    if text.startswith("{"):
        return from_json(text)
    least, listed = _count(text)
    return {"of": [read_role(word) for word in _tokens(listed)], "at_least": least}


def write_tiers_at_least(value: Row, lang: str) -> str:
    """Return ``2: role`` for {role, at_least}."""
    text = f"{value['at_least']}: {_quoted(role_name(value['role'], lang))}"
    return written(value, text, read_tiers_at_least)


def read_tiers_at_least(text: str) -> dict[str, Any]:
    """Return {role, at_least}. Raises SwcError ``rule_words.count`` and that of a role."""
    if text.startswith("{"):
        return from_json(text)
    least, role = _count(text)
    return {"role": read_role(role), "at_least": least}


def _count(text: str) -> tuple[int, str]:
    found = re.match(r"\s*(\d{1,4})\s*[:：](.*)$", text, re.DOTALL)
    if found is None:
        raise SwcError("rule_words.count", text=text)
    return int(found[1]), found[2]


def write_to_check(value: Row, lang: str) -> str:
    """Return ``role | zh | en`` for {role, text_zh, text_en}."""
    texts = (_quoted(role_name(value["role"], lang)), value["text_zh"], value["text_en"])
    return written(value, " | ".join(texts), read_to_check)


def read_to_check(text: str) -> dict[str, Any]:
    """Return {role, text_zh, text_en}. Raises SwcError ``rule_words.to_check`` and that of a role."""
    if text.startswith("{"):
        return from_json(text)
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 3:
        raise SwcError("rule_words.to_check", text=text)
    return {"role": read_role(parts[0]), "text_zh": parts[1], "text_en": parts[2]}


# --- zone ------------------------------------------------------------------------------------------


def write_zone(code: str, zones: Sequence[Row], lang: str) -> str:
    """Return the code of a zone and its name."""
    names = {zone["code"]: zone[f"name_{lang}"] for zone in zones}
    return written(code, f"{code} {names.get(code, '')}".strip(), lambda text: read_zone(text, zones))


def read_zone(text: str, zones: Sequence[Row]) -> str:
    """Return the code of a zone by code, name, or code with a name. Raises SwcError ``rule_words.zone``."""
    if text.startswith('"'):
        return read_text(text)
    codes = {str(zone["code"]): str(zone["code"]) for zone in zones if "code" in zone}
    named = {
        _key(str(zone[key])): str(zone["code"])
        for zone in zones
        for key in ("name_zh", "name_en")
        if key in zone and "code" in zone
    }
    code = codes.get(text) or named.get(_key(text)) or codes.get(text.partition(" ")[0])
    if code is None:
        raise SwcError("rule_words.zone", text=text, known=", ".join(codes))
    return code


# --- articles --------------------------------------------------------------------------------------


def write_basis(basis: str | Sequence[Row], acts: Sequence[Row], lang: str) -> str:
    """Return articles [{act, article, ...}] by the short names of `acts`, or a free text."""
    if not basis:
        # An empty cell means that there is no basis at all.
        return canonical(basis)
    if isinstance(basis, str):
        return written(basis, basis if not acts else canonical(basis), lambda text: read_basis(text, acts))
    names = {act["id"]: act["short_zh"] for act in acts}
    texts = [_write_entry(entry, names, lang) for entry in basis]
    return written(list(basis), _SEPARATORS[lang][0].join(texts), lambda text: read_basis(text, acts))


def _write_entry(entry: Row, names: Mapping[str, str], lang: str) -> str:
    text = f"{names.get(entry['act'], entry['act'])} {_quoted_article(entry['article'])}".strip()
    flags = []
    if entry.get("analogy"):
        flags.append(vocabulary()["words"]["analogy"][_LANGUAGES[lang]])
    if "status" in entry:
        flags.append(write_word("status", entry["status"], lang))
    if entry.get("valid_from") or entry.get("valid_to"):
        flags.append(f"{entry.get('valid_from') or ''}~{entry.get('valid_to') or ''}")
    return f"{text}〔{_SEPARATORS[lang][0].join(flags)}〕" if flags else text


def _quoted_article(article: str) -> str:
    return canonical(article) if re.search(r'[";；\n〔〕]|^\s|\s$', article) else article


def read_basis(text: str, acts: Sequence[Row]) -> str | list[dict[str, Any]]:
    """Return the articles that a text names; where there is no register of acts, the text itself.

    Raises SwcError ``rule_words.act``, ``rule_words.article_flag`` or ``rule_words.json``.
    """
    if is_json(text):
        return from_json(text)
    if not acts:
        return text
    return [_read_entry(part, acts) for part in _parts(text)]


def _read_entry(part: str, acts: Sequence[Row]) -> dict[str, Any]:
    flagged = _FLAGS.match(part)
    head, flags = (flagged[1], flagged[2]) if flagged else (part, "")
    act, article = _act_and_article(head, acts)
    entry: dict[str, Any] = {"act": act, "article": _unquoted(article)}
    for flag in re.split(r"[;；,，]", flags):
        if flag.strip():
            entry.update(_read_flag(flag.strip()))
    return entry


def _act_and_article(text: str, acts: Sequence[Row]) -> tuple[str, str]:
    """Part a text after the longest name of an act; one before a blank goes first."""
    named = [(str(act[key]), act["id"]) for act in acts for key in ("short_zh", "id") if act.get(key)]
    fits = [(name, act) for name, act in named if text.startswith(name)]
    if not fits:
        raise SwcError("rule_words.act", text=text)
    parted = [one for one in fits if text[len(one[0]) :][:1] in ("", " ")]
    name, act = max(parted or fits, key=lambda one: len(one[0]))
    return act, text[len(name) :].strip()


def _read_flag(flag: str) -> dict[str, Any]:
    if _key(flag) in {_key(word) for word in vocabulary()["words"]["analogy"]}:
        return {"analogy": True}
    period = _PERIOD.fullmatch(flag)
    if period:
        return {key: day for key, day in zip(("valid_from", "valid_to"), period.groups()) if day}
    try:
        return {"status": read_word("status", flag)}
    except SwcError as error:
        raise SwcError("rule_words.article_flag", text=flag) from error
