"""The parts that all components are made of."""
