"""Why a policy did what it did: one recorded moment, and the known rows behind it."""
