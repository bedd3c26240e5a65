"""A method from another distribution that misbehaves on request."""
