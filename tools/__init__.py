"""What makes and checks cln-monitor: nothing of it is installed."""
