"""ClearML on Kubernetes: one construct per component."""
