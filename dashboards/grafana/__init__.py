"""The Grafana dashboards, built from typed Python: ``python -m dashboards.grafana`` writes the JSON beside it."""
