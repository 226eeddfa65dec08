"""Measuring models: tensors in, an ``Estimate`` with its standard error out."""

from . import manifold
from .annealed import ais, log_partition
from .baselines import IndependentPixels, MixtureOfPixels, ProbabilisticPCA, mixture_of_pixels, probabilistic_pca
from .cloze import by_network, cloze, from_both_sides, from_the_left, gaps
from .codes import code_perplexity, codes_used
from .copying import copy_score, copy_scores, nearest
from .density import grid_kl, normalised, plane
from .detection import accuracy, auroc, pca_error, two_sample_auroc
from .extrapolate import frechet_limit
from .flow_ode import flow_bound, flow_log_prob, flow_log_probs
from .forecast import LinearAR, pinball
from .images import frechet, frechet_distance, frechet_ratio, laplacian_energy, psnr, sharpness
from .inception import inception_score
from .kernels import cubic_kernel, gaussian_kernel, kid, mmd
from .likelihood import bits_per_dim, elbo, iwae, log_prob
from .pairs import histogram_matched, iou, pixel_error
from .recall import recalled
from .replicas import expected_score, nearest_few, nudged, replica_share
from .rouge import rouge_l, rouge_n
from .score import mixture_score, score_error
from .spectrum import shorter_waves
from .strings import edit_distances, exact_match
from .strokes import lean, stroke_width
from .text import bleu, continued, distinct, perplexity, repeated, self_bleu
from .two_sample import sliced_wasserstein
from .votes import two_way, votes_needed, wilson

__all__ = [
    "IndependentPixels", "LinearAR", "MixtureOfPixels", "ProbabilisticPCA", "accuracy", "ais", "auroc", "bits_per_dim",
    "bleu", "by_network", "cloze", "code_perplexity", "codes_used", "continued", "copy_score", "copy_scores",
    "cubic_kernel", "distinct", "edit_distances", "elbo", "exact_match", "expected_score", "flow_bound",
    "flow_log_prob", "flow_log_probs", "frechet", "frechet_distance", "frechet_limit", "frechet_ratio",
    "from_both_sides", "from_the_left", "gaps", "gaussian_kernel", "grid_kl", "histogram_matched", "inception_score",
    "iou", "iwae", "kid", "laplacian_energy", "lean", "log_partition", "log_prob", "manifold", "mixture_of_pixels",
    "mixture_score", "mmd", "nearest", "nearest_few", "normalised", "nudged", "pca_error", "perplexity", "pinball",
    "pixel_error", "plane", "probabilistic_pca", "psnr", "recalled", "repeated", "replica_share", "rouge_l", "rouge_n",
    "score_error", "self_bleu", "sharpness", "shorter_waves", "sliced_wasserstein", "stroke_width", "two_sample_auroc",
    "two_way", "votes_needed", "wilson",
]  # fmt: skip
