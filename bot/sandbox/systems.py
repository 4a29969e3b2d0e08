"""The sample systems there are, by the name of their folder under `runbooks/`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox import alacarte, storytailor
from bot.sandbox.sample import SampleSystem

SYSTEMS: Mapping[str, SampleSystem] = {each.id: each for each in (alacarte.SYSTEM, storytailor.SYSTEM)}
