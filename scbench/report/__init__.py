"""Tables made from stored runs."""
