"""What is generated from the values' types: JSON schema, reference, commented defaults."""
