"""Tests of the files in packaging/container, packaging/compose and packaging/kubernetes."""
