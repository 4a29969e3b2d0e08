"""Support mode: people without database access look at masked runs, and act on nothing."""
