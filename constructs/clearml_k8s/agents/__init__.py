"""The ClearML agents: one for the `services` queue, and groups of any number for other queues."""
