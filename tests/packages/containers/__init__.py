"""Tests of the container image and of the rendered chart: `make test-packages`."""
