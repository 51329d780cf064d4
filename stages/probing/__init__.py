"""What the alarm does in worlds that are moved away from those shown, and what may be done where it rises."""
