"""The JSON Schema of runbooks and system files, made from the models and every kind's spec, for editors."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.authoring.alerts import AlertsDoc
from bot.authoring.document import ActionDoc, CheckDoc, RunbookDoc, SystemDoc, TriageDoc
from bot.authoring.marks import field_marks
from bot.authoring.operations_document import CalendarDoc, EscalationDoc, MonitorsDoc
from bot.domain.runbook import Section
from bot.steps.base import StepKind
from bot.steps.registry import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Mapping[str, Any] = {"type": "string"}
_WITHOUT_ID: Mapping[str, type[BaseModel]] = {
    "monitors": MonitorsDoc,
    "zone": CalendarDoc,
    "ladders": EscalationDoc,
    "sources": AlertsDoc,
}


def schema() -> dict[str, Any]:
    """The schema of all documents: an id in capitals makes it a runbook, any other a system; the others have none and
    are known by the part that they cannot do without."""
    models: list[type[BaseModel]] = [
        RunbookDoc,
        SystemDoc,
        *_WITHOUT_ID.values(),
        TriageDoc,
        CheckDoc,
        ActionDoc,
        *(KINDS[name].spec for name in sorted(KINDS)),
    ]
    _, made = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    defs: dict[str, Any] = made["$defs"]
    _allow_shorthands(defs)
    for section, model in ((Section.CHECKS, CheckDoc), (Section.ACTIONS, ActionDoc)):
        kinds = [KINDS[name] for name in sorted(KINDS) if section in KINDS[name].sections]
        name = "Check" if section is Section.CHECKS else "Action"
        defs[name] = {"anyOf": [_step(kind, defs[model.__name__], defs) for kind in kinds]}
        defs["RunbookDoc"]["properties"][section.value]["additionalProperties"] = {"$ref": f"#/$defs/{name}"}
    for looking in (TriageDoc, MonitorsDoc):
        defs[looking.__name__]["properties"]["checks"]["additionalProperties"] = {"$ref": "#/$defs/Check"}
    known: dict[str, Any] = {"$ref": "#/$defs/TriageDoc"}
    for part, about in _WITHOUT_ID.items():
        known = {"if": {"required": [part]}, "then": {"$ref": f"#/$defs/{about.__name__}"}, "else": known}
    for kind in KINDS.values():
        _allow_texts(kind.spec, defs)
    return {
        "$schema": DIALECT,
        "title": "A runbook, or the system it belongs to",
        "type": "object",
        "if": {"properties": {"id": {"type": "string", "pattern": "^[A-Z]"}}, "required": ["id"]},
        "then": {"$ref": "#/$defs/RunbookDoc"},
        "else": {
            "if": {"required": ["id"]},
            "then": {"$ref": "#/$defs/SystemDoc"},
            "else": known,
        },
        "$defs": {name: defs[name] for name in sorted(defs) if name not in ("CheckDoc", "ActionDoc")},
    }


def schema_text() -> str:
    """The schema as it stands in `runbooks/schema.json`."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def write_schema(file: Path) -> None:
    """Write the schema to a file."""
    file.write_text(schema_text(), encoding="utf-8")


def _step(kind: StepKind, common: Mapping[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """One kind of step: its own value, whole or by its main field alone, and its fields beside it."""
    spec = defs[kind.spec.__name__]
    fields: dict[str, Any] = spec.get("properties", {})
    spec.pop("required", None)  # a field may stand beside the kind as well as inside it
    own = [{"$ref": f"#/$defs/{kind.spec.__name__}"}, fields.get(kind.shorthand, {}), {"type": "null"}]
    return {
        "title": kind.name,
        "description": (kind.spec.__doc__ or "").strip(),
        "type": "object",
        "properties": {**fields, **common["properties"], kind.name: {"anyOf": own}},
        "required": [kind.name],
        "additionalProperties": False,
    }


def _allow_shorthands(defs: dict[str, Any]) -> None:
    properties = defs["ActionDoc"]["properties"]
    properties["approve"]["anyOf"].insert(0, {**_TEXT, "description": "critical, confirm, or the name of a group"})
    properties["undo"]["anyOf"].insert(0, {"const": "automatic"})


def _allow_texts(model: type[BaseModel], defs: dict[str, Any]) -> None:
    """A field that is rendered may be text whatever it becomes."""
    properties = defs[model.__name__].get("properties", {})
    for name in field_marks(model):
        if name in properties and properties[name].get("type") not in (None, "string"):
            properties[name] = {
                "anyOf": [properties[name], dict(_TEXT)],
                "description": properties[name].get("description", ""),
            }


if __name__ == "__main__":
    write_schema(Path(sys.argv[1]))
