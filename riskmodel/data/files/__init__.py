"""Returns and prices from files: CSV and Parquet, one column an asset or one row a date and asset."""
