"""Models to play with: they run in the page itself, with their own weights, without a kernel."""

from .attention import attention_explorer
from .decoding import decoding_explorer
from .denoise import denoise_explorer
from .explorer import Explorer
from .flow import flow_explorer
from .front import front_explorer
from .game import Frame, game_explorer
from .kmeans import kmeans_explorer
from .latent import latent_explorer
from .maze import maze_explorer
from .neuron import neuron_explorer
from .party import party_explorer
from .spoil import spoil_explorer
from .straighten import straighten_explorer
from .style import style_explorer
from .two_ways import two_ways_explorer

__all__ = [
    "Explorer",
    "Frame",
    "attention_explorer",
    "decoding_explorer",
    "denoise_explorer",
    "flow_explorer",
    "front_explorer",
    "game_explorer",
    "kmeans_explorer",
    "latent_explorer",
    "maze_explorer",
    "neuron_explorer",
    "party_explorer",
    "spoil_explorer",
    "straighten_explorer",
    "style_explorer",
    "two_ways_explorer",
]
