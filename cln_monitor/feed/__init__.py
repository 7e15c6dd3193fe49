"""``cln-feed``: judge like the plugins, and hand the results to a monitoring core without a process per check."""
