# SPDX-License-Identifier: GPL-2.0-or-later
"""metadata.xml: the core of GB/T 19710 in the encoding of ISO/TS 19139.

Only what is known is said: an element without a value is left out, or marked missing where the standard
demands it. Elements and code lists are those of ISO 19115:2003; which of them the national core demands
was taken from its public summaries, not from its text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree  # nosec B405 - writes XML only
from xml.etree.ElementTree import Element  # nosec B405 - writes XML only

from swc_zoning.engine.messages import sentence

GMD = "http://www.isotc211.org/2005/gmd"
GCO = "http://www.isotc211.org/2005/gco"
_CODES = "http://www.isotc211.org/2005/resources/codeList.xml"
STANDARD = "GB/T 19710 / ISO 19115:2003"
#: Words of secrecy that are a code of the standard; others stand as they were given.
_CLASSIFICATION = {
    "公开": "unclassified",
    "内部": "restricted",
    "秘密": "confidential",
    "机密": "secret",
    "绝密": "topSecret",
}


@dataclass(frozen=True)
class Source:
    """An input as the lineage tells it; texts, empty where not known."""

    name: str
    role: str = ""
    version: str = ""
    approval_no: str = ""
    data_date: str = ""
    provider: str = ""


@dataclass(frozen=True)
class Statement:
    """What a package says of itself. `date` YYYYMMDD; `bounds` west, south, east, north in degrees.

    `quality` is a sentence that tells the result of the quality check, `passed` None where there was none.
    """

    identifier: str
    title: str
    date: str
    abstract: str
    edition: str = ""
    compiler: str = ""
    secrecy: str = ""
    constraints: str = ""
    crs: str = "EPSG:4490"
    scale: int = 0
    bounds: tuple[float, float, float, float] | None = None
    formats: tuple[str, ...] = ()
    lineage: str = ""
    sources: tuple[Source, ...] = ()
    quality: str = ""
    passed: bool | None = None
    keywords: tuple[str, ...] = field(default=())


def xml(said: Statement, lang: str = "zh") -> bytes:
    """Return metadata.xml, UTF-8, for what is `said`."""
    ElementTree.register_namespace("gmd", GMD)
    ElementTree.register_namespace("gco", GCO)
    root = Element(_tag("MD_Metadata"))
    _text(root, "fileIdentifier", said.identifier)
    _text(root, "language", "zho" if lang == "zh" else "eng")
    _code(root, "characterSet", "MD_CharacterSetCode", "utf8")
    _code(root, "hierarchyLevel", "MD_ScopeCode", "dataset")
    _party(root, "contact", said.compiler)
    _date(_child(root, "dateStamp"), said.date)
    _text(root, "metadataStandardName", STANDARD)
    _text(root, "metadataStandardVersion", "2003")
    _reference_system(root, said.crs)
    _identification(root, said, lang)
    _distribution(root, said.formats)
    _quality(root, said, lang)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


# --- parts -----------------------------------------------------------------------------------------


def _reference_system(root: Element, crs: str) -> None:
    authority, _, code = crs.partition(":")
    system = _path(
        root, "referenceSystemInfo", "MD_ReferenceSystem", "referenceSystemIdentifier", "RS_Identifier"
    )
    _text(system, "code", code)
    _text(system, "codeSpace", authority)


def _identification(root: Element, said: Statement, lang: str) -> None:
    part = _path(root, "identificationInfo", "MD_DataIdentification")
    citation = _path(part, "citation", "CI_Citation")
    _text(citation, "title", said.title)
    dated = _path(citation, "date", "CI_Date")
    _date(_child(dated, "date"), said.date)
    _code(dated, "dateType", "CI_DateTypeCode", "creation")
    _text(citation, "edition", said.edition)
    _text(part, "abstract", said.abstract)
    _party(part, "pointOfContact", said.compiler)
    _keywords(part, said.keywords)
    _constraints(part, said)
    _code(part, "spatialRepresentationType", "MD_SpatialRepresentationTypeCode", "vector")
    if said.scale:
        ratio = _path(
            part, "spatialResolution", "MD_Resolution", "equivalentScale", "MD_RepresentativeFraction"
        )
        _typed(_child(ratio, "denominator"), "Integer", str(said.scale))
    _text(part, "language", "zho" if lang == "zh" else "eng")
    _code(part, "characterSet", "MD_CharacterSetCode", "utf8")
    for topic in ("environment", "planningCadastre"):
        ElementTree.SubElement(_child(part, "topicCategory"), _tag("MD_TopicCategoryCode")).text = topic
    if said.bounds:
        _extent(part, said.bounds)


def _keywords(part: Element, keywords: Sequence[str]) -> None:
    if keywords:
        words = _path(part, "descriptiveKeywords", "MD_Keywords")
        for word in keywords:
            _text(words, "keyword", word)


def _constraints(part: Element, said: Statement) -> None:
    """Secrecy as it was given; one that is no known level gets no code, and none is invented."""
    if said.constraints:
        legal = _path(part, "resourceConstraints", "MD_LegalConstraints")
        _text(legal, "useLimitation", said.constraints)
    if not said.secrecy:
        return
    level = _CLASSIFICATION.get(re.split("[★*]", said.secrecy)[0].strip())
    kind = "MD_SecurityConstraints" if level else "MD_Constraints"
    security = _path(part, "resourceConstraints", kind)
    if level:
        _code(security, "classification", "MD_ClassificationCode", level)
        _text(security, "userNote", said.secrecy)
    else:
        _text(security, "useLimitation", said.secrecy)


def _extent(part: Element, bounds: tuple[float, float, float, float]) -> None:
    box = _path(part, "extent", "EX_Extent", "geographicElement", "EX_GeographicBoundingBox")
    west, south, east, north = bounds
    edges = {"westBoundLongitude": west, "eastBoundLongitude": east}
    edges |= {"southBoundLatitude": south, "northBoundLatitude": north}
    for name, value in edges.items():
        _typed(_child(box, name), "Decimal", f"{value:.6f}")


def _distribution(root: Element, formats: Sequence[str]) -> None:
    if formats:
        part = _path(root, "distributionInfo", "MD_Distribution")
        for name in formats:
            one = _path(part, "distributionFormat", "MD_Format")
            _text(one, "name", name)
            _missing(_child(one, "version"))


def _quality(root: Element, said: Statement, lang: str) -> None:
    part = _path(root, "dataQualityInfo", "DQ_DataQuality")
    _code(_path(part, "scope", "DQ_Scope"), "level", "MD_ScopeCode", "dataset")
    if said.passed is not None:
        result = _path(part, "report", "DQ_ConceptualConsistency", "result", "DQ_ConformanceResult")
        citation = _path(result, "specification", "CI_Citation")
        _text(citation, "title", sentence("metadata.checked_by", {}, lang))
        dated = _path(citation, "date", "CI_Date")
        _date(_child(dated, "date"), said.date)
        _code(dated, "dateType", "CI_DateTypeCode", "creation")
        _text(result, "explanation", said.quality)
        _typed(_child(result, "pass"), "Boolean", "true" if said.passed else "false")
    lineage = _path(part, "lineage", "LI_Lineage")
    _text(lineage, "statement", said.lineage)
    for source in said.sources:
        _source(lineage, source, lang)


def _source(lineage: Element, source: Source, lang: str) -> None:
    one = _path(lineage, "source", "LI_Source")
    keys = ("role", "version", "approval_no", "provider")
    told = [
        sentence(f"metadata.source_{key}", {"value": getattr(source, key)}, lang)
        for key in keys
        if getattr(source, key)
    ]
    _text(one, "description", ("；" if lang == "zh" else "; ").join(told) or source.name)
    citation = _path(one, "sourceCitation", "CI_Citation")
    _text(citation, "title", source.name)
    dated = _path(citation, "date", "CI_Date")
    _date(_child(dated, "date"), source.data_date)
    _code(dated, "dateType", "CI_DateTypeCode", "revision")


def _party(parent: Element, name: str, organisation: str) -> None:
    party = _path(parent, name, "CI_ResponsibleParty")
    _text(party, "organisationName", organisation)
    _code(party, "role", "CI_RoleCode", "pointOfContact")


# --- elements --------------------------------------------------------------------------------------


def _tag(name: str) -> str:
    return f"{{{GMD}}}{name}"


def _child(parent: Element, name: str) -> Element:
    return ElementTree.SubElement(parent, _tag(name))


def _path(parent: Element, *names: str) -> Element:
    for name in names:
        parent = _child(parent, name)
    return parent


def _typed(parent: Element, kind: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{GCO}}}{kind}").text = text


def _text(parent: Element, name: str, text: str) -> None:
    """Add a text; what is not known is marked missing."""
    one = _child(parent, name)
    if text:
        _typed(one, "CharacterString", _allowed(text))
    else:
        _missing(one)


def _missing(one: Element) -> None:
    one.set(f"{{{GCO}}}nilReason", "missing")


def _allowed(text: str) -> str:
    """Return a text without the characters XML 1.0 (2.2) has no place for."""
    return "".join(
        one
        for one in text
        if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff" and not "\ud800" <= one <= "\udfff")
    )


def _date(parent: Element, date: str) -> None:
    """Add a date, YYYYMMDD or already with dashes; one of another form is no date of the standard."""
    digits = date.replace("-", "")
    if len(digits) == 8 and digits.isdigit():
        _typed(parent, "Date", f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    else:
        _missing(parent)


def _code(parent: Element, name: str, kind: str, value: str) -> None:
    one = ElementTree.SubElement(_child(parent, name), _tag(kind))
    one.set("codeList", f"{_CODES}#{kind}")
    one.set("codeListValue", value)
    one.text = value
