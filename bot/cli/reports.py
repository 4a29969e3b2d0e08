"""The report of `runbook drill --json`, read again where it was carried to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from bot.domain.proof import Proof, ProofKind
from bot.errors import Mistake


class _ProofDoc(BaseModel):
    """How the drill of one runbook ended, in the report of `runbook drill --json`."""

    runbook: str = Field(max_length=40)
    system: str = Field(max_length=40)
    version: str = Field(pattern=r"^[0-9a-f]{64}$")
    passed: bool
    at: AwareDatetime
    detail: str = Field(max_length=600)


class _ReportDoc(BaseModel):
    """What is read of that report."""

    proofs: list[_ProofDoc]


def proofs_in(file: Path) -> Sequence[Proof]:
    """The proofs of a report. Raises `Mistake` when it cannot be read or is none."""
    try:
        report = _ReportDoc.model_validate_json(file.read_bytes())
    except OSError as error:
        raise Mistake(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        hint = "It is what `runbook drill --all --json` prints."
        raise Mistake(f"{file} is no report of drills: {at}: {first['msg']}.", hint=hint) from error
    return [
        Proof(each.runbook, each.system, each.version, ProofKind.DRILL, each.passed, each.at, each.detail)
        for each in report.proofs
    ]
