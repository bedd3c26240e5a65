"""A method from another distribution whose loss is a parabola, for searches."""
