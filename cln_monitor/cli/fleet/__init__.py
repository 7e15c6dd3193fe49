"""The servers and keys of an account over all products: listed, judged, removed."""
