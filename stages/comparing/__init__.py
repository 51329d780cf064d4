"""What two evaluations tell about a difference: pure functions of paired episodes, and where evaluations come from."""
