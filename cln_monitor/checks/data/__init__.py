"""The data sources of checks: CLN itself, or a running exporter, with the same result."""
