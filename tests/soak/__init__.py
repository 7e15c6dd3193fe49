"""A month of an exporter's life, in the time that its calls take."""
