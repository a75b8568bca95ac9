"""The data stores: embedded, imported or external, behind one kind of address."""
