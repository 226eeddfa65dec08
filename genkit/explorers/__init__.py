"""Models to play with: they run in the page itself, with their own weights, without a kernel."""

from .decoding import decoding_explorer
from .explorer import Explorer
from .flow import flow_explorer
from .latent import latent_explorer

__all__ = ["Explorer", "decoding_explorer", "flow_explorer", "latent_explorer"]
