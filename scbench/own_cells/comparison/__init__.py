"""Several methods on one's own cells: runs, what can be said without labels, and the page that shows it."""
