"""The risk report: its figures as values, tables, pictures and one self-contained page."""
