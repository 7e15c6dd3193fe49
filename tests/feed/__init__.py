"""Tests of ``cln-feed``."""
