"""Regressions that are fitted asset by asset: robust, penalised, bounded."""
