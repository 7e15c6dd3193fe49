"""Where a check gets its data from: CLN itself, or a running exporter; the same either way."""
