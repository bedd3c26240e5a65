"""The number of clusters with evidence: parents that fall apart sooner than a cloud without structure does."""
