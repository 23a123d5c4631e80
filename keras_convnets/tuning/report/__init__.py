"""What a search has found, for people: report.html, and each of its figures as PNG."""
