"""Control: a random partition."""
