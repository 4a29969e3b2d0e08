"""The gate: what it takes for a change to happen, and what happens around it."""
