"""The objects of the configured services for monitoring cores: passive, with a check of their freshness."""
