"""The families, each in one file that reads from top to bottom."""
