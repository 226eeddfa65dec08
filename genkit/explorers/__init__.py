"""Models to play with: they run in the page itself, with their own weights, without a kernel."""

from .explorer import Explorer
from .flow import flow_explorer
from .latent import latent_explorer

__all__ = ["Explorer", "flow_explorer", "latent_explorer"]
