"""Alerts of other systems: let in, understood, kept, and made incidents of."""
