"""The resource usage of fleets: measurements, and the model of docs/sizing.md."""
