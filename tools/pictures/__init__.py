"""Draws the pictures of the README; no part of cln-monitor."""
