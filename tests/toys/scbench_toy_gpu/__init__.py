"""A method that claims to use a GPU and runs out of its memory when told."""
