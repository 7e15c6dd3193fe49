"""The levels and formats of log messages, for the command lines; logs themselves take longer to import."""

import logging

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
"""The levels of log messages, by name."""
FORMATS = ("logfmt", "json")
"""The formats of log messages."""
