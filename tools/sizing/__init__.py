"""What a fleet of some size costs: measured, and the model behind docs/sizing.md."""
