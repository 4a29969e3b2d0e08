"""The run use cases: start, look, ask, vote, act, verify, undo; each change is one transaction."""
