"""The same coupling flow in zuko, nflows and normflows: put together of their own transforms, with genkit's weights.

Each builder takes a :class:`~genkit.models.flow.Flow` of couplings, normalisations, mixings and flips. What a peer
does not offer is genkit's bound on a log-scale; it is given to each where it reads what the network says.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Transform

from ..models.flow import ActNorm, Coupling, Flip, Flow, Layer, Mix
from ..nn import mlp
from .turns import peer


@dataclass(frozen=True)
class Library:
    """One library's flow: its density, (B, D) to (B,), its draws, n to (n, D), and the module that learns."""

    log_prob: Callable[[Tensor], Tensor]
    sample: Callable[[int], Tensor]
    module: nn.Module


def genkit(model: Flow) -> Library:
    """Return genkit's own."""
    return Library(model.log_prob, model.sample, model)


def zuko(model: Flow) -> Library:
    """Return zuko's: it describes a flow lazily, and makes its transforms in every call."""
    library = peer("zuko")
    lazy, transforms, size = library.lazy, library.transforms, model.shape[0]

    class Affine(transforms.MonotonicAffineTransform):
        def __init__(self, shift: Tensor, log_s: Tensor):
            Transform.__init__(self)
            self.shift, self.log_scale, self.scale = shift, log_s, log_s.exp()

    def coupling(layer: Coupling):
        made = library.flows.coupling.GeneralCouplingTransform(
            size, mask=torch.arange(size) < layer.kept, univariate=lambda shift, log_s: Affine(shift, _bounded(log_s)),
            hidden_features=_widths(layer)[1:-1], activation=nn.SiLU,
        )  # fmt: skip
        weights, last = layer.network.state_dict(), f"{len(layer.network) - 1}."
        turns = torch.arange(2 * layer.moved).view(2, -1).flip(0).T.flatten()  # shift, scale, shift, scale, …
        made.hyper.load_state_dict({k: w[turns] if k.startswith(last) else w for k, w in weights.items()})
        return made

    def norm(layer: ActNorm):
        def constructed(shift: Tensor, log_s: Tensor):
            return transforms.DependentTransform(Affine(shift, log_s), 1)

        return lazy.UnconditionalTransform(constructed, _shift_after(layer), layer.log_s.detach().clone())

    def mix(layer: Mix):
        lower, upper = _unpermuted(layer)
        scale = upper.diagonal()  # theirs is L's, ours U's
        both = lower * scale + (upper / scale[:, None]).triu(1)
        return lazy.UnconditionalTransform(transforms.LULinearTransform, both)

    def flip(layer: Flip):
        return lazy.UnconditionalTransform(transforms.PermutationTransform, torch.arange(size).flip(0), buffer=True)

    base = library.distributions.DiagNormal
    start = lazy.UnconditionalDistribution(base, torch.zeros(size), torch.ones(size), buffer=True)
    module = lazy.Flow(_translated(model, coupling, norm, mix, flip), start)
    return Library(lambda x: module().log_prob(x), lambda n: module().sample((n,)), module)


def nflows(model: Flow) -> Library:
    """Return nflows': its chain goes from the data to the noise, as ours does."""
    peer("nflows")
    from nflows import transforms
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow as Theirs

    size = model.shape[0]

    class Affine(transforms.AffineCouplingTransform):
        def _coupling_transform_forward(self, inputs: Tensor, transform_params: Tensor):
            log_s, t = _said(transform_params)
            return inputs * log_s.exp() + t, log_s.sum(1)

        def _coupling_transform_inverse(self, inputs: Tensor, transform_params: Tensor):
            log_s, t = _said(transform_params)
            return (inputs - t) * (-log_s).exp(), -log_s.sum(1)

    class Network(nn.Sequential):
        def forward(self, x: Tensor, context: None = None) -> Tensor:
            return super().forward(x)

    def coupling(layer: Coupling):
        return Affine((torch.arange(size) >= layer.kept).int(), lambda *_: Network(*_network(layer)))

    def norm(layer: ActNorm):
        made = transforms.ActNorm(size)
        made.initialized.fill_(True)
        _put(made.log_scale, layer.log_s)
        _put(made.shift, _shift_after(layer))
        return made

    def mix(layer: Mix):
        made, (lower, upper) = transforms.LULinear(size), _unpermuted(layer)
        _put(made.lower_entries, lower[made.lower_indices])
        _put(made.upper_entries, upper[made.upper_indices])
        _put(made.unconstrained_upper_diag, (upper.diagonal().double() - made.eps).expm1().log())
        return made

    def flip(layer: Flip):
        return transforms.ReversePermutation(size)

    chain = transforms.CompositeTransform(_translated(model, coupling, norm, mix, flip))
    module = Theirs(chain, StandardNormal([size]))
    return Library(module.log_prob, module.sample, module)


def normflows(model: Flow) -> Library:
    """Return normflows': its chain goes from the noise to the data; couplings and normalisations are turned round."""
    library = peer("normflows")
    flows, size = library.flows, model.shape[0]

    class Affine(flows.AffineCoupling):
        def forward(self, z: list[Tensor]):
            log_s, t = _said(self.param_map(z[0]))
            return [z[0], z[1] * log_s.exp() + t], log_s.sum(1)

        def inverse(self, z: list[Tensor]):
            log_s, t = _said(self.param_map(z[0]))
            return [z[0], (z[1] - t) * (-log_s).exp()], -log_s.sum(1)

    def coupling(layer: Coupling):
        made = flows.AffineCouplingBlock(None)
        made.flows[1] = Affine(_network(layer))
        return flows.Reverse(made)

    def norm(layer: ActNorm):
        made = flows.ActNorm(size)
        made.data_dep_init_done.fill_(1.0)
        _put(made.s, layer.log_s[None])
        _put(made.t, _shift_after(layer)[None])
        return flows.Reverse(made)

    def mix(layer: Mix):
        made, (lower, upper) = flows.InvertibleAffine(size), _unpermuted(layer)
        scale = upper.diagonal()  # they multiply from the right: (L U)ᵀ = (Uᵀ D⁻¹) (D Lᵀ)
        made.P.copy_(torch.eye(size))
        made.sign_S.copy_(scale.sign())
        _put(made.log_S, scale.abs().log())
        _put(made.L, (upper / scale[:, None]).T.tril(-1))
        _put(made.U, (lower * scale).T.triu(1))
        return made

    def flip(layer: Flip):
        made = flows.Permute(size)
        for order in (made.perm, made.inv_perm):
            order.copy_(torch.arange(size).flip(0))
        return made

    chain = _translated(model, coupling, norm, mix, flip)[::-1]
    module = library.NormalizingFlow(library.distributions.DiagGaussian(size, trainable=False), chain)
    return Library(module.log_prob, lambda n: module.sample(n)[0], module)


PEERS: dict[str, Callable[[Flow], Library]] = {"zuko": zuko, "nflows": nflows, "normflows": normflows}


def _translated(model: Flow, coupling: Callable, norm: Callable, mix: Callable, flip: Callable) -> list:
    makers: dict[type[Layer], Callable] = {Coupling: coupling, ActNorm: norm, Mix: mix, Flip: flip}
    return [makers[type(layer)](layer) for layer in model.layers]


def _said(params: Tensor) -> tuple[Tensor, Tensor]:
    log_s, t = params.chunk(2, 1)
    return _bounded(log_s), t


def _bounded(log_s: Tensor) -> Tensor:
    return Coupling.LIMIT * torch.tanh(log_s / Coupling.LIMIT)


def _widths(layer: Coupling) -> list[int]:
    linear = [part for part in layer.network if isinstance(part, nn.Linear)]
    return [linear[0].in_features, *(part.out_features for part in linear)]


def _network(layer: Coupling) -> nn.Sequential:
    """Return a network of its own with the weights of a coupling's."""
    made = mlp(*_widths(layer))
    made.load_state_dict(layer.network.state_dict())
    return made


def _shift_after(layer: ActNorm) -> Tensor:
    """Return the shift of a normalisation that scales first and then shifts; ours shifts first."""
    return layer.shift.detach() * layer.log_s.detach().exp()


def _unpermuted(layer: Mix) -> tuple[Tensor, Tensor]:
    """Return L and U of a mixing without a permutation, W = L U."""
    if not torch.equal(layer.p, torch.eye(len(layer.p))):
        raise ValueError("p: expected the identity, since not every peer mixes with a permutation, received another")
    size = len(layer.p)
    lower = layer.lower.detach().tril(-1) + torch.eye(size)
    return lower, layer.upper.detach().triu(1) + torch.diag(layer.sign * layer.log_s.detach().exp())


@torch.no_grad()
def _put(parameter: Tensor, value: Tensor) -> None:
    parameter.copy_(value)
