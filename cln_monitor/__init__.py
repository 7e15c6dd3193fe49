"""Monitoring of CloudLinux Network (CLN) accounts for Prometheus, Nagios and Icinga."""
