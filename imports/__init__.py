"""Helm charts as constructs; no store is imported from a chart yet."""
