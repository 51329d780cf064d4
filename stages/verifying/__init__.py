"""Workspace and cache against dvc.lock, by content."""
