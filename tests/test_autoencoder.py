"""The plain autoencoder: what it is when linear, and that it says what it cannot take."""

import pytest
import torch

from genkit import families
from genkit.models.autoencoder import mlp_autoencoder


def test_a_linear_one_finds_the_plane_of_principal_components():
    torch.manual_seed(0)
    turn = torch.linalg.qr(torch.randn(5, 5))[0]
    x = torch.randn(500, 5) * torch.tensor([3.0, 2.0, 0.3, 0.2, 0.1]) @ turn.T
    x = x - x.mean(0)
    model = mlp_autoencoder(shape=(5,), latent=2, hidden=())
    for _ in fit_quietly(model, x):
        pass
    left = torch.linalg.svdvals(x)[2:].pow(2).sum() / len(x)  # what no plane can keep (Eckart & Young 1936)
    got = model.loss(x)["loss"].mean()
    assert left * (1 - 1e-4) <= got <= left * 1.02


def fit_quietly(model, x):
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(600):
        optimiser.zero_grad()
        loss = model.loss(x)["loss"].mean()
        loss.backward()
        optimiser.step()
        yield loss


def test_samples_are_decoded_codes():
    model = mlp_autoencoder(shape=(1, 4, 4), latent=3)
    z = torch.randn(6, 3)
    assert torch.equal(model.sample(6, z=z), model.decode(z))
    torch.manual_seed(0)
    drawn = model.sample(6)
    torch.manual_seed(0)
    assert torch.equal(drawn, model.decode(torch.randn(6, 3)))


def test_it_is_built_from_json_by_its_name():
    model = families.build("autoencoder", shape=[1, 8, 8], latent=2, hidden=[32])
    assert model.reconstruct(torch.rand(4, 1, 8, 8)).shape == (4, 1, 8, 8)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mlp_autoencoder(shape=(4,), latent=0), "at least"),
        (lambda: mlp_autoencoder(shape=(4,)).encode(torch.zeros(2, 5)), "x: expected"),
        (lambda: mlp_autoencoder(shape=(4,)).decode(torch.zeros(2, 3)), "z: expected"),
        (lambda: mlp_autoencoder(shape=(4,)).sample(2, z=torch.zeros(3, 2)), "z: expected 2 codes"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
