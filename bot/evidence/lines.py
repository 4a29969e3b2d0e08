"""Lines of the audit trail for machines and for spreadsheets; exports and archives are made of them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from bot.slack.views.tables import harmless
from bot.store.audit import AuditLine, told

COLUMNS = ("seq", "at", "kind", "actor", "run", "incident", "data", "previous", "hash")


def as_record(line: AuditLine) -> dict[str, Any]:
    """A line as it was hashed, with its place and the two hashes."""
    record = {"seq": line.seq, **told(line.body), "previous": line.previous, "hash": line.hash}
    return {name: record.get(name) for name in COLUMNS}


def as_json_line(line: AuditLine) -> str:
    """A line as one line of JSON, in ASCII: no reader breaks it in two."""
    return json.dumps(as_record(line)) + "\n"


def as_csv_line(line: AuditLine) -> str:
    """A line as a row of CSV that no spreadsheet runs as a formula."""
    record = as_record(line)
    return _row([json.dumps(record[name]) if name == "data" else record[name] for name in COLUMNS])


def csv_header() -> str:
    """The names of the columns."""
    return _row(list(COLUMNS))


def _row(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return out.getvalue()
