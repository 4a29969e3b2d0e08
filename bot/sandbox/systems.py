"""The sample systems there are, by the name of their folder under `runbooks/`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox import aias, alacarte, phase1, storytailor, waooaw
from bot.sandbox.sample import SampleSystem

_ALL = (aias.SYSTEM, alacarte.SYSTEM, phase1.SYSTEM, storytailor.SYSTEM, waooaw.SYSTEM)
SYSTEMS: Mapping[str, SampleSystem] = {each.id: each for each in _ALL}
