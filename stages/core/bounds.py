"""How large and how small numbers may be, wherever they come in: what is computed of them then stays finite."""

LARGEST = 1e100  # of any number, whatever its unit: the squares of larger ones are soon infinite
SMALLEST = 1e-30  # of what is divided by: less, and the squares of quotients are
