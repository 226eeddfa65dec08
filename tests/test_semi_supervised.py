"""What the chapter on few labels relies on: balance, leave one out, clusters that mislead, its exercises' answers."""

import pytest
import torch

from genkit.exercises import EXERCISES
from genkit.exercises.semi_supervised import puzzle
from genkit.records import semi_supervised as lab


class Parrot:
    """Predicts the label of the row it was fitted to, and 0 for a row without one."""

    def __init__(self, x, c):
        self.known = {tuple(row.tolist()): int(k) for row, k in zip(x, c, strict=True) if k >= 0}

    def predict(self, rows):
        return [self.known.get(tuple(row.tolist()), 0) for row in rows]


def test_leaving_one_out_hides_the_label_that_is_asked_for():
    x = torch.arange(6.0)[:, None]
    data = lab.Few(x, torch.tensor([0, 1, 1, -1, 1, -1]), torch.zeros(6, dtype=torch.int64), None)
    assert lab.left_out(Parrot, data) == 0.25, "a parrot that is not told the label knows the zeros alone"
    assert data.c.tolist() == [0, 1, 1, -1, 1, -1]


def test_balanced_self_training_takes_as_many_guesses_of_every_class(monkeypatch):
    x = torch.cat([torch.randn(60, 2) - 3, torch.randn(20, 2) + 3])
    c = torch.full((80,), -1)
    c[0], c[60] = 0, 1
    seen, plain = [], lab.supervised

    class Watched:
        def fit(self, rows, labels):
            seen.append(torch.tensor(labels).bincount().tolist())
            return plain(lab.LOGISTIC).fit(rows, labels)

    monkeypatch.setattr(lab, "supervised", lambda name: Watched())
    model = lab.balanced_self_training(x, c, rounds=3, each=4)
    assert seen == [[1, 1], [5, 5], [9, 9], [13, 13]]
    truth = (torch.arange(80) >= 60).long()
    assert (torch.tensor(model.predict(x.numpy())) == truth).all()


def test_the_bars_classes_say_above_or_below_and_not_which_bar():
    data = lab.bars(0, n=4000, labels=4)
    assert torch.equal(data.truth, (data.x[:, 1] > 0).long()) and data.known.sum() == 4
    right = data.x[:, 0] > 0
    assert abs(data.truth[right].double().mean() - data.truth[~right].double().mean()) < 0.08
    assert data.x[:, 0].abs().min() > 0.4, "two bars with a gap between them"


def test_a_snowball_is_counted():
    found = lab.snowball(lab.few(10, 0), 0.3)
    assert found["taken"] == 990 and 0.1 <= found["largest"] <= 1 and 0 <= found["true"] <= 1
    assert lab.snowball(lab.few(10, 0), 0.9999)["taken"] == 0


def test_the_puzzle_has_the_answers_that_the_exercise_says():
    x, c = puzzle()
    data = lab.Few(x, c, c, None)
    labels, spreading = lab.left_out(lab.by_labels, data), lab.left_out(lab.by_spreading, data)
    assert labels > spreading
    assert spreading == pytest.approx(EXERCISES["found_again"].right, rel=EXERCISES["found_again"].tolerance)
    EXERCISES["found_again"].judge(spreading)
    EXERCISES["trust"].judge("labels")
