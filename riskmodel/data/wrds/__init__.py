"""CRSP returns and the Fama-French factors from a WRDS server."""
