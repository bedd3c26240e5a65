"""Configuration: schemas, checks of the command line, composition."""
