"""The faults of CLN and of the connection to it, and their effect on each probe and plugin."""
