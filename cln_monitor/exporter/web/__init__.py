"""The HTTP server of the exporter: paths, authentication, TLS, and connections."""
