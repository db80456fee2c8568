"""The report on a study of risk models: its tables, pictures and page."""
