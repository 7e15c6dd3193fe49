"""The servers and keys of an account across all products: lists, check-in states, and removals."""
