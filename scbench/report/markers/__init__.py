"""Marker genes of clusters, and how many of them are markers of annotated types."""
