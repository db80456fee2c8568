"""Where returns come from: providers and factors."""
