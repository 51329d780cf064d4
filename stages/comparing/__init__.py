"""What two evaluations tell about a difference: where they come from, the tests and intervals, and their verdict."""
