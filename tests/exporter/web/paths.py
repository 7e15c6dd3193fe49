"""The paths of the exporter, and what each is answered with."""

TEXT, METRICS = "text/plain; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"

GET_PATHS = {
    "/": (200, "text/html; charset=utf-8"),
    "/?account=nobody": (200, "text/html; charset=utf-8"),
    "/runbook": (200, "text/html; charset=utf-8"),
    "/metrics": (200, METRICS),
    "/probe?account=acme&probe=kernelcare": (200, METRICS),
    "/config": (200, TEXT),
    "/-/healthy": (200, TEXT),
    "/-/ready": (503, TEXT),
    "/sd/kernelcare": (503, TEXT),
    "/api/v1/observations": (200, "application/json"),
    "/api/v1/observations/acme/kernelcare": (200, "application/json"),
}
"""The status and the content type of each path that is asked by GET, before the first poll."""
