"""Recipe: what training costs and what it is fed with; the presets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import keras

from digits.training.network import build_network, build_pooling_network, build_tiny_network, join_columns

REFINING_RATE = 2e-3  # highest learning rate of the refining passes
REFINING_AUGMENTED = 0.1  # share of MNIST's pictures that are augmented in them


@dataclass(frozen=True)
class Recipe:
    """What training costs and what it is fed with; the presets are one recipe scaled up and down.

    epochs: passes over MNIST's training split. refining: passes of each refining round that follows; in them MNIST's
    pictures are changed little. refining_drawn: share of the drawn pictures that each of these rounds sees.
    cycles: how often this all is done, each time from the weights of the time before.
    width: of the network's layers.
    pooling: whether a second network, that of build_pooling_network, is trained likewise and joined as a column.
    drawn: synthetic pictures a pass; a third are parts of numbers, and of the others `not_digits` hold no digit.
    spliced: non-digits a pass that are made of MNIST's digits. augmented: share of MNIST's pictures that are augmented;
    all others are. spoiled: share of the augmented ones with noise, lines, haze and the like. bend: how far those that
    are not augmented are bent, as a share of how far these are. batch: pictures a step. betas: Adam's. ema: momentum of
    the weights' average.
    tiny: the network of build_tiny_network, which has neither a width nor dropout.
    """

    epochs: int
    refining: int = 0
    refining_drawn: tuple[float, ...] = (1 / 3, 1.0)
    cycles: int = 1
    width: float = 1.0
    drawn: int = 24_000
    not_digits: float = 0.4
    spliced: int = 4_800
    augmented: float = 1.0
    spoiled: float = 0.1
    bend: float = 0.5
    dropout: float = 0.3
    batch: int = 128
    learning_rate: float = 4e-3
    betas: tuple[float, float] = (0.9, 0.999)
    ema: float = 0.998
    pooling: bool = False
    tiny: bool = False

    def build(self) -> keras.Model:
        """The network before training."""
        return join_columns(self.build_columns())

    def build_columns(self) -> list[keras.Model]:
        """The networks that are trained apart, and joined then."""
        if self.tiny:
            return [build_tiny_network()]
        return [build_network(self.width, self.dropout), *([build_pooling_network()] if self.pooling else [])]

    @property
    def passes(self) -> int:
        """Those of each column, the refining ones included."""
        return self.cycles * (self.epochs + self.refining * len(self.refining_drawn))

    def cycle(self, number: int) -> Recipe:
        """The recipe of one cycle, counted from 0."""
        return self.further_cycle() if number else replace(self, cycles=1)

    def further_cycle(self) -> Recipe:
        """The recipe for a network that is trained already: the learning rate rises again, half as high, and falls.

        Source: Loshchilov & Hutter 2017, "SGDR", arXiv:1608.03983.
        """
        return replace(self, learning_rate=self.learning_rate / 2, cycles=1)

    def limited(self, pictures: int) -> Recipe:
        """The recipe for a trial run on so many of MNIST's pictures."""
        return replace(self, drawn=min(self.drawn, pictures), spliced=min(self.spliced, pictures))

    def refining_rounds(self) -> list[Recipe]:
        """The recipes of the refining rounds: back to pictures nearly as they are, which training has hardly seen.

        Source: He et al. 2019, "Data augmentation revisited: Rethinking the distribution gap between clean and
        augmented data", arXiv:1909.09148.
        """
        return [
            replace(
                self,
                epochs=self.refining,
                drawn=round(self.drawn * drawn),
                augmented=min(self.augmented, REFINING_AUGMENTED),
                learning_rate=REFINING_RATE,
            )
            for drawn in self.refining_drawn
        ]


PRESETS = {
    # In two passes there is no time for what is hard, nor for long memories.
    "quick": Recipe(
        epochs=2,
        width=0.375,
        drawn=500,
        spliced=100,
        augmented=0.3,
        spoiled=0.0,
        bend=0.0,
        dropout=0.0,
        batch=256,
        learning_rate=0.03,
        betas=(0.8, 0.95),
        ema=0.96,
    ),
    "default": Recipe(epochs=8, refining=4, drawn=12_000, spliced=2_400),
    "best": Recipe(epochs=18, refining=5, cycles=2, width=0.8, pooling=True),
    # A small net has no room for what it is rarely asked, and is not at risk of learning pictures by heart.
    "tiny": Recipe(
        epochs=57,
        refining=3,
        drawn=8_000,
        spliced=1_600,
        augmented=0.7,
        spoiled=0.05,
        batch=256,
        learning_rate=0.01,
        tiny=True,
    ),
}
