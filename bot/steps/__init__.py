"""The step kinds: one file a kind with its spec, validation, preview and run, and one line in `registry`."""
