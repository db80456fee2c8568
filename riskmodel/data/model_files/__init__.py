"""Risk models as tables in files: delimited text and Parquet."""
