"""Building blocks: plain modules that know nothing of any family."""

from .classifier import Classifier, classifier
from .conv import conv_decoder, conv_encoder
from .mlp import mlp

__all__ = ["Classifier", "classifier", "conv_decoder", "conv_encoder", "mlp"]
