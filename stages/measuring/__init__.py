"""Figures from the tables of episodes."""
