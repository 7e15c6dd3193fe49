"""What CLN and the way to it can do wrong, one after the other, and what each probe and each plugin makes of it."""
