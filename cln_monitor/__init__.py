"""Monitoring of CloudLinux Network (CLN) accounts for Prometheus, Nagios and Icinga."""

__version__ = "0.1.0"
