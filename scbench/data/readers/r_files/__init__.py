"""Files that R has written: ``.rds``, ``.rda`` and ``.RData``, through the optional package ``rdata``."""
