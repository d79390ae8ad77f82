"""`keypost setup`: from an empty account to the first mail, step by step. Each step can be run again."""
