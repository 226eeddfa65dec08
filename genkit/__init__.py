"""genkit: the small PyTorch package that the chapters of the book import.

Importing it never seeds, downloads, prints or picks a device.
"""

__version__ = "0.1.0"
