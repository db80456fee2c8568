"""The data library of Kenneth R. French."""
