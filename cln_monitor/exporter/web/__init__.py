"""The HTTP side of the exporter: its paths, who may ask them, and how connections are served."""
