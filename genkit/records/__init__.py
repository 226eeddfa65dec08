"""The experiments behind the chapters' records, one file a chapter."""

CHAPTERS = {
    "models/vae": "vae",
    "models/autoregressive": "autoregressive",
    "models/attention": "attention",
    "models/decoding": "decoding",
    "models/flows": "flows",
}
"""Which file holds the experiments of which chapter."""
