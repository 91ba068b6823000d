"""Find and read files of tables: CSV and Parquet, in batches of bounded size."""
