"""The speed of the exporter and the plugins, as ratios to the usual way, measured side by side in one run."""
