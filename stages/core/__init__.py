"""Types and functions that tasks, policies and stages share; imports none of them."""
