"""Figures of a report: each module draws one kind; the same content gives the same bytes."""
