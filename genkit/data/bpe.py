"""Byte-pair tokens: frequent strings become one token each (Gage 1994; Sennrich et al. 2016), by ``tokenizers``."""

import torch
from torch import Tensor

WORDS = r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|_+|\s+"
"""Merges stay within a match of this expression: a word with the space before it, a number, signs, spaces."""


class BytePairs:
    """A vocabulary of 256 bytes, and of merges of two tokens into one.

    Text is read as its UTF-8 bytes, so that any text has tokens, and its tokens give it back.

    Arguments
        text: what merges are learnt from.
        vocabulary: how many tokens there shall be, at least 256; fewer come of a text with fewer pairs.

    >>> pairs = BytePairs("low lower lowest " * 9, vocabulary=260)
    >>> len(pairs.encode("lower")), pairs.decode(pairs.encode("lößt")), pairs.pieces("low lowest")
    (3, 'lößt', ['low', ' lowe', 's', 't'])
    """

    def __init__(self, text: str, *, vocabulary: int):
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

        if vocabulary < 256:
            raise ValueError(f"vocabulary: expected at least the 256 bytes, received {vocabulary}")
        self.tokenizer = Tokenizer(models.BPE())
        self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(WORDS), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self.tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        self.tokenizer.train_from_iterator([_unicode(text)], trainer)

    def __len__(self) -> int:
        return self.tokenizer.get_vocab_size()

    def encode(self, text: str) -> Tensor:
        """Return the tokens of a text, int64 of shape (T,)."""
        return torch.tensor(self.tokenizer.encode(_unicode(text)).ids, dtype=torch.int64)

    def decode(self, tokens: Tensor) -> str:
        """Return the text of tokens; bytes that are no text, as a model may write them, become U+FFFD."""
        return self.tokenizer.decode(tokens.flatten().tolist(), skip_special_tokens=False)

    def pieces(self, text: str) -> list[str]:
        """Return the text of every token by itself."""
        return [self.decode(token) for token in self.encode(text)]

    def merges(self) -> list[tuple[str, str]]:
        """Return the pairs that were merged, in order, each byte written as one printable character."""
        import json

        return [tuple(pair) for pair in json.loads(self.tokenizer.to_str())["model"]["merges"]]


def _unicode(text: str) -> str:
    """Return ``text`` where it can be written as UTF-8: half a surrogate pair cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"text: expected Unicode, received half a surrogate pair at {error.start}") from None
    return text
