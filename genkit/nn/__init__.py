"""Building blocks: plain modules that know nothing of any family."""

from .conv import conv_decoder, conv_encoder
from .mlp import mlp

__all__ = ["conv_decoder", "conv_encoder", "mlp"]
