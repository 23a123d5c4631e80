"""The names that others give our layers; each source is a module."""
