"""Tests of the client of CLN."""
