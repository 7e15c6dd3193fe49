"""What the long-running programs share: logs, notifications of systemd, and output on the terminal."""
