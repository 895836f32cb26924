# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema checker finds what is wrong, all of it, and agrees with the jsonschema library."""

import jsonschema
import pytest

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.schema import check_document

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["schema", "layers"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": 1},
        "title": {"type": ["string", "null"], "minLength": 2, "maxLength": 8},
        "mode": {"enum": ["draft", "submission", 3, None]},
        "rank": {"type": "integer", "minimum": 1, "maximum": 9},
        "width": {"type": "number", "exclusiveMinimum": 0},
        "layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}, "minItems": 1, "maxItems": 3},
        "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        "tier": {
            "anyOf": [
                {"type": "string", "pattern": "^[a-z_]+$"},
                {"type": "object", "required": ["field"], "additionalProperties": {"type": "string"}},
            ]
        },
        "both": {"allOf": [{"minimum": 2}, {"maximum": 4}]},
        "never": False,
    },
    "patternProperties": {"^x-[a-z]+$": {"type": "boolean"}},
    "$defs": {
        "layer": {
            "type": "object",
            "required": ["role"],
            "properties": {
                "role": {"type": "string"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/layer"}},
            },
            "additionalProperties": False,
        }
    },
}

LAYERS = [{"role": "nature_park"}]
DOCUMENTS = [
    {"schema": 1, "layers": LAYERS},
    {"schema": 1.0, "layers": LAYERS},
    {"schema": True, "layers": LAYERS},
    {"schema": 2, "layers": LAYERS},
    {"schema": 1},
    {"layers": LAYERS, "schema": 1, "title": None},
    {"layers": LAYERS, "schema": 1, "title": "崇明"},
    {"layers": LAYERS, "schema": 1, "title": "崇"},
    {"layers": LAYERS, "schema": 1, "title": "a title too long"},
    {"layers": LAYERS, "schema": 1, "title": 5},
    {"layers": LAYERS, "schema": 1, "mode": "draft"},
    {"layers": LAYERS, "schema": 1, "mode": None},
    {"layers": LAYERS, "schema": 1, "mode": "Draft"},
    {"layers": LAYERS, "schema": 1, "rank": 3},
    {"layers": LAYERS, "schema": 1, "rank": 3.0},
    {"layers": LAYERS, "schema": 1, "rank": 3.5},
    {"layers": LAYERS, "schema": 1, "rank": 0},
    {"layers": LAYERS, "schema": 1, "rank": 10},
    {"layers": LAYERS, "schema": 1, "rank": True},
    {"layers": LAYERS, "schema": 1, "rank": "3"},
    {"layers": LAYERS, "schema": 1, "width": 0.2},
    {"layers": LAYERS, "schema": 1, "width": 0},
    {"layers": LAYERS, "schema": 1, "width": False},
    {"layers": [], "schema": 1},
    {"layers": LAYERS * 4, "schema": 1},
    {"layers": {"role": "nature_park"}, "schema": 1},
    {"layers": [{"role": 1}], "schema": 1},
    {"layers": [{"rol": "nature_park"}], "schema": 1},
    {"layers": [{"role": "a", "parts": [{"role": "b", "parts": []}]}], "schema": 1},
    {"layers": [{"role": "a", "parts": [{"role": "b", "parts": [{}]}]}], "schema": 1},
    {"layers": LAYERS, "schema": 1, "tags": ["a", "b"]},
    {"layers": LAYERS, "schema": 1, "tags": ["a", "b", "a"]},
    {"layers": LAYERS, "schema": 1, "tier": "level_one"},
    {"layers": LAYERS, "schema": 1, "tier": "Level1"},
    {"layers": LAYERS, "schema": 1, "tier": {"field": "BHQJB", "map": "x"}},
    {"layers": LAYERS, "schema": 1, "tier": {"field": 1}},
    {"layers": LAYERS, "schema": 1, "tier": {}},
    {"layers": LAYERS, "schema": 1, "tier": None},
    {"layers": LAYERS, "schema": 1, "both": 3},
    {"layers": LAYERS, "schema": 1, "both": 5},
    {"layers": LAYERS, "schema": 1, "never": None},
    {"layers": LAYERS, "schema": 1, "x-ok": True},
    {"layers": LAYERS, "schema": 1, "x-ok": 1},
    {"layers": LAYERS, "schema": 1, "y-ok": True},
    [],
    None,
    "text",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_validity_agrees_with_jsonschema(document):
    expected = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    assert (check_document(document, SCHEMA) == []) is expected


def test_documents_cover_both_outcomes():
    valid = [d for d in DOCUMENTS if jsonschema.Draft202012Validator(SCHEMA).is_valid(d)]
    assert 10 <= len(valid) <= len(DOCUMENTS) - 20


def test_every_problem_is_reported_at_once_with_its_path():
    document = {"titel": "a", "rank": 0, "mode": "x", "layers": [{"role": "a"}, {"role": 2, "prts": []}]}
    found = {(f.code, f.facts["path"]) for f in check_document(document, SCHEMA)}
    assert found == {
        ("schema.missing", "$"),
        ("schema.unknown_key", "$"),
        ("schema.minimum", "$.rank"),
        ("schema.enum", "$.mode"),
        ("schema.type", "$.layers[1].role"),
        ("schema.unknown_key", "$.layers[1]"),
    }


def test_unknown_key_names_the_nearest_known_key():
    [finding] = check_document({"schema": 1, "layers": LAYERS, "titel": "甲乙"}, SCHEMA)
    assert finding.facts == {"path": "$", "key": "titel", "nearest": "title"}
    assert "title" in finding.sentence("en")
    assert "titel" in finding.sentence("zh")


def test_alternatives_report_the_branch_that_comes_closest():
    document = {"schema": 1, "layers": LAYERS, "tier": {"field": 1}}
    assert [f.facts["path"] for f in check_document(document, SCHEMA)] == ["$.tier.field"]


def test_odd_keys_are_quoted_in_the_path():
    schema = {"additionalProperties": {"type": "string"}}
    [finding] = check_document({"a b": 1}, schema)
    assert finding.facts["path"] == '$["a b"]'


@pytest.mark.parametrize("schema", [{"oneOf": []}, {"$ref": "other.json"}, {"$ref": "#/$defs/none"}])
def test_a_keyword_outside_the_subset_is_refused(schema):
    with pytest.raises(SwcError) as caught:
        check_document({}, schema)
    assert caught.value.code == "schema.keyword"


def test_every_finding_has_a_sentence_in_both_languages():
    findings = [f for document in DOCUMENTS for f in check_document(document, SCHEMA)]
    assert len({f.code for f in findings}) >= 13
    for finding in findings:
        assert finding.severity == "error"
        assert finding.sentence("zh") != finding.sentence("en")
