"""Figures from episodes: pure functions of tables."""
