"""The data stores: embedded or external, behind one kind of address."""
