"""Rows and cells of every table: one model, whose views are the terminal, the overview and the report."""
