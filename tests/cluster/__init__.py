"""Bundles on real control planes; `make test-cluster` runs them."""
