"""The plugins, one module per plugin: its options, its data, and its evaluation."""
