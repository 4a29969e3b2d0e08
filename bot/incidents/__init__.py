"""The incident use cases: open, note, escalate, resolve; the timeline and the summary."""
