from dataclasses import dataclass, field
import torch, hashlib
@dataclass(frozen=True)
class Split:
    x: torch.Tensor
    c: torch.Tensor | None = None
    def __len__(self): return len(self.x)
@dataclass(frozen=True)
class Dataset:
    name: str; train: Split; valid: Split; test: Split; shape: tuple; levels: int | None = None; classes: tuple | None = None
    encode: object = None; decode: object = None; sha256: str = ""
def load(name, **options):
    from sklearn.datasets import load_digits
    d = load_digits(); X = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16; Y = torch.tensor(d.target)
    return Dataset("digits", Split(X[:1000], Y[:1000]), Split(X[1000:1350], Y[1000:1350]), Split(X[1350:], Y[1350:]), (1, 8, 8), 17, tuple("0123456789"))
