"""What the exporter keeps on disk, so that a restart shows what was read before."""
