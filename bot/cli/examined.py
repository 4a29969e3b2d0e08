"""One thing that `runbook doctor` looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Examined:
    """What was looked at and found; `mend` says what to do when it is not well."""

    name: str
    ok: bool
    said: str
    mend: str = ""

    def line(self) -> str:
        """One line for a terminal."""
        mark = "ok  " if self.ok else "BAD "
        return f"{mark} {self.name}: {self.said}" + (f"\n     {self.mend}" if not self.ok and self.mend else "")

    def data(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)
