"""The plugins, a module each: what is asked for, and the verdict."""
