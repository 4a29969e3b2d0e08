"""The JSON Schema for editors: up to date, true of every shipped document, and not of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.authoring.reading import read
from bot.authoring.schema import schema, schema_text, write_schema
from bot.steps.registry import KINDS
from tests.authoring.samples import RUNBOOK, SYSTEM
from tests.authoring.stage import RUNBOOKS

pytestmark = pytest.mark.authoring

SHIPPED = sorted(RUNBOOKS.glob("*/*.yaml"))
VALID = sorted((Path(__file__).parents[1] / "examples" / "valid").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """A validator of the schema as it is made now."""
    made = schema()
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def data(text: str | bytes) -> Any:
    document, problems = read(text, "x.yaml")
    assert document is not None, problems
    return document.data


def test_file_is_up_to_date(tmp_path: Path) -> None:
    """The shipped schema is what the models say; `python -m bot.authoring.schema runbooks/schema.json` writes it."""
    assert (RUNBOOKS / "schema.json").read_text(encoding="utf-8") == schema_text()
    write_schema(tmp_path / "schema.json")
    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize("file", [*SHIPPED, *VALID], ids=lambda file: file.stem)
def test_shipped_documents_validate(file: Path, validator: Draft202012Validator) -> None:
    """Every shipped document and every valid example fits the schema."""
    assert [error.message for error in validator.iter_errors(data(file.read_bytes()))] == []


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (RUNBOOK, "severity: P2", "severity: P9"),
        (RUNBOOK, "resolve_within: 15m", "resolve_within: 15"),
        (RUNBOOK, "title: What our database says", "titel: What our database says"),
        (RUNBOOK, "expect: one_row", "expect: one_rows"),
        (RUNBOOK, "type: uuid", "type: uid"),
        (RUNBOOK, "title: Account is frozen", ""),
        (SYSTEM, "read: SHOP_READ", "read: postgresql://x"),
        (SYSTEM, "groups:", "group:"),
    ],
)
def test_wrong_documents_do_not_validate(text: str, old: str, new: str, validator: Draft202012Validator) -> None:
    """An editor sees what the loader would refuse."""
    assert validator.is_valid(data(text))
    assert not validator.is_valid(data(text.replace(old, new)))


def test_every_kind_is_in_it() -> None:
    """Each kind can be written where it belongs."""
    made = schema()["$defs"]
    offered = {step["title"] for name in ("Check", "Action") for step in made[name]["anyOf"]}
    assert offered == set(KINDS)
