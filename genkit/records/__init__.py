"""The experiments behind the chapters' records, one file a chapter."""

CHAPTERS = {
    "models/vae": "vae", "models/autoregressive": "autoregressive", "models/attention": "attention",
    "models/flows": "flows",
}  # fmt: skip
"""Which file holds the experiments of which chapter."""
