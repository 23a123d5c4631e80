"""Nets as graphs, to find which layer is which where names say nothing."""
