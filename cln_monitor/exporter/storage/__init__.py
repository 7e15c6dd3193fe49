"""The state on disk, from which a restarted exporter shows the last good data."""
