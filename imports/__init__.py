"""Helm charts as constructs: fetched by `make imports`, verified, rendered by helm, patched."""
