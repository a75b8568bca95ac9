"""The types that values are made of: sections, scalars, raw Kubernetes fragments."""
