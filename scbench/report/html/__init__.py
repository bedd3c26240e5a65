"""``report.html``: one page with all tables, the runs behind each cell and what they stored."""
