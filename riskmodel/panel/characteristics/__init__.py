"""Characteristics of assets by date: what is known of an asset besides its returns."""
