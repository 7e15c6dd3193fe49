"""The Grafana dashboards as typed Python; ``python -m dashboards.grafana`` writes their JSON to this directory."""
