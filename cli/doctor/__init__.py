"""`keypost doctor`: what is not right yet with a stack, in the order in which one mends it."""
