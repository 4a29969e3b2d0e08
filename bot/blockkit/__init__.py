"""Slack's Block Kit rules in one place: limits as data and one validator for every block, view and message."""

from bot.blockkit.problem import Code, Problem
from bot.blockkit.spec import Surface
from bot.blockkit.surface import json_characters, validate, validate_message, validate_view

__all__ = ["Code", "Problem", "Surface", "json_characters", "validate", "validate_message", "validate_view"]
