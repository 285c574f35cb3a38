# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Handwritten digit recognition
#
# The whole experiment on one page: MNIST, what happens to a picture before the network sees it, augmentation, a small
# convolutional network, its training, how good and how honest it is, and an answer for a digit drawn by hand.
#
# Everything is done by the functions of the package `digits`, the same that `train_model.py`, `app.py` and the command
# line use; the notebook only calls them and looks at what comes out. It trains a network of its own, in the short form
# that fits into a lesson, and ends with the model that is shipped.
#
# `handwritten_digit_recognition.ipynb` is built from the `.py` file beside it: `python docs/build.py notebook`.

# %%
import dataclasses
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter hides what matters

import cv2
import matplotlib.pyplot as plt
import numpy as np

from digits import Recognizer
from digits.classifier import Classifier
from digits.ink import InkReader
from digits.layout import find_layout
from digits.normalise import normalise
from digits.picture import read_grey
from digits.training.augment import NOT_A_DIGIT, augment, no_digit
from digits.training.data import load_mnist
from digits.training.evaluate import find_mistakes, score, to_input
from digits.training.fit import fit
from digits.training.history import read_history
from digits.training.metrics import confusion_matrix, reliability
from digits.training.paper import synthesise_page
from digits.training.recipe import PRESETS
from digits.training.save import calibrate
from digits.training.strokes import synthesise

# %% [markdown]
# How long it may take: by default the `quick` preset on all of the training pictures. `DIGITS_NOTEBOOK_EPOCHS` and
# `DIGITS_NOTEBOOK_LIMIT` (so many pictures) make it shorter or longer.

# %%
EPOCHS = int(os.environ.get("DIGITS_NOTEBOOK_EPOCHS", PRESETS["quick"].epochs))
LIMIT = int(os.environ["DIGITS_NOTEBOOK_LIMIT"]) if "DIGITS_NOTEBOOK_LIMIT" in os.environ else None
SEED = 1
rng = np.random.default_rng(SEED)


def show(images, titles, columns=6, size=1.3):
    """Pictures side by side with a title each, ink drawn dark."""
    rows = -(-len(images) // columns)
    _, axes = plt.subplots(rows, columns, figsize=(size * columns, (size + 0.25) * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray_r")
        axis.set_title(title, fontsize=8)
    plt.show()


def show_grid(images, columns=12, size=0.6):
    """Pictures of one size in a mosaic, ink drawn dark."""
    rows = [np.hstack(images[start : start + columns]) for start in range(0, len(images), columns)]
    mosaic = np.vstack(rows).astype(float)
    plt.figure(figsize=(size * columns, size * len(rows)))
    plt.imshow(mosaic, cmap="gray_r")
    plt.axis("off")
    plt.show()


# %% [markdown]
# ## Loading MNIST
#
# 70,000 pictures of 28x28 pixels. The 60,000 for training are split into three: *train* fits the weights, *validation*
# chooses the epoch, *calibration* makes the percentages honest. The 10,000 test pictures are for the very end.

# %%
mnist = load_mnist()
if LIMIT:
    mnist = dataclasses.replace(mnist, train=mnist.train.first(LIMIT))
for name in ("train", "validation", "calibration", "test"):
    split = getattr(mnist, name)
    print(f"{name:12}{len(split):7,} pictures {split.images.shape[1:]}, {split.images.dtype}, 0 = paper, 255 = ink")

# %% [markdown]
# ## Looking at it

# %%
first = [np.flatnonzero(mnist.train.labels == label)[:12] for label in range(10)]
show_grid(mnist.train.images[np.concatenate(first)])

# %% [markdown]
# The ten digits are about equally frequent, so plain accuracy is a fair measure. The mean of each digit shows what all
# its forms have in common (first row), the spread where writers differ (second row).

# %%
print("pictures of 0 to 9:", np.bincount(mnist.train.labels, minlength=10))
of_label = [mnist.train.images[mnist.train.labels == label] for label in range(10)]
show_grid([images.mean(axis=0) for images in of_label] + [images.std(axis=0) for images in of_label], columns=10)

# %% [markdown]
# ## Preprocessing: the road of a picture
#
# A network that scores 99 % on MNIST fails on the first digit that its user draws, if the canvas is merely squeezed to
# 28x28: MNIST's digits are all of one size, in the middle, and drawn with one pen. So every picture takes the same
# road. Here a seven, drawn with a thin pen in a corner of a pad of 400x400 pixels.

# %%
pad = np.full((400, 400), 255, np.uint8)
cv2.polylines(pad, [np.array([[215, 60], [330, 52], [318, 110], [280, 170], [262, 235]])], False, 40, 7, cv2.LINE_AA)
cv2.polylines(pad, [np.array([[245, 150], [328, 140]])], False, 40, 7, cv2.LINE_AA)

grey, _, _ = read_grey(pad)  # decoded, upright, the channel in which the ink stands out
ink = InkReader().find(grey).ink  # without the paper: float32, ink = 1
stroke = find_layout(ink).strips[0].whole  # the ink that belongs together, of the first line
frame = normalise(stroke.ink)  # 20x20 fit, aspect kept, pen like MNIST's, centre of mass in the middle of 28x28
squeezed = 1 - cv2.resize(pad, (28, 28), interpolation=cv2.INTER_AREA) / 255
titles = ["the pad", "ink", "the digit", "what the network sees", "merely squeezed"]
show([255 - pad, ink, stroke.ink, frame, squeezed], titles, columns=5, size=2.2)

# %% [markdown]
# What of a photo is ink is told by a network of its own (`python train_model.py --ink`). It learns from synthetic pages
# of every kind, in any light, on desks and cloths, under fingers, pens and clips. Here are some as a camera would see
# them, and below each what has been written on it: that is what the network is to find.

# %%
pages, maps = zip(*(synthesise_page(mnist.train, rng) for _ in range(16)), strict=True)
photos, inks = [255 - page for page in pages], [of_page[..., 0] for of_page in maps]
show_grid([*photos[:8], *inks[:8], *photos[8:], *inks[8:]], columns=8, size=1.4)

# %% [markdown]
# ## Augmentation
#
# Each picture is changed a little, anew in every epoch: turned, slanted, bent, written with another pen, with the slash
# or the bar that other people give it, now and then with the noise of a bad scan. Never flipped: a mirrored digit is
# another sign. Each row is one digit of MNIST (left) and eleven of its changes.

# %%
pictures = []
for label in (0, 1, 2, 5, 7):
    image = of_label[label][3]
    pictures += [image / 255, *(augment(image, label, rng) for _ in range(11))]
show_grid(pictures)

# %% [markdown]
# Two more kinds of pictures go into training: digits drawn as strokes, in forms that MNIST lacks, and pictures that are
# *no* digit - scribbles made of strokes, two digits in one box, half of one - from which the network learns to say so.

# %%
drawn, drawn_labels = synthesise(60, SEED, 0.4)
is_digit = drawn_labels != NOT_A_DIGIT
print("drawn digits:", drawn_labels[is_digit][:24])
show_grid(drawn[is_digit][:24])
print("no digits: drawn, and spliced from MNIST")
show_grid([*drawn[~is_digit][:12], *(no_digit(mnist.train.images, rng) for _ in range(12))])

# %% [markdown]
# ## The model
#
# A small convolutional network with two answers: which digit, and whether it is one at all.

# %%
recipe = dataclasses.replace(PRESETS["quick"], epochs=EPOCHS)
if LIMIT:
    recipe = recipe.limited(LIMIT)
recipe.build().summary()

# %% [markdown]
# ## Training
#
# Adam, with a learning rate that falls along a cosine and is reduced further when the validation loss stalls; early
# stopping; the weights averaged over the last steps. The shipped model has the same recipe, for longer, with a wider
# network and a second one of another kind beside it, joined into one.

# %%
folder = Path(tempfile.mkdtemp())
print(recipe)
network = fit(recipe, mnist, SEED, folder)

# %%
history = read_history(folder)
epochs = [int(row["epoch"]) + 1 for row in history]
figure, (losses, errors) = plt.subplots(1, 2, figsize=(9, 3))
for prefix, name in (("", "training, augmented"), ("val_", "validation, partly augmented")):
    losses.plot(epochs, [row[f"{prefix}loss"] for row in history], "o-", label=name)
    errors.plot(epochs, [100 * (1 - row[f"{prefix}label_accuracy"]) for row in history], "o-")
losses.set(title="loss", xlabel="epoch", xticks=epochs)
errors.set(title="wrong digits, %", xlabel="epoch", xticks=epochs)
losses.legend()
plt.show()

# %% [markdown]
# ## Honest percentages
#
# Networks boast. One number, the temperature, is fitted on the calibration split so that of all answers given with
# 80 % about 80 % are right; it becomes part of the saved model. The file is then read back as any program would.

# %%
model, calibration = calibrate(network, mnist.calibration, SEED)
file = folder / "notebook.keras"
model.save(file)
classifier = Classifier(file)
print({name: round(value, 3) for name, value in calibration.items()})

# %% [markdown]
# ## Evaluation of this short training
#
# On the validation split: the test set is for the end.


# %%
def look_at(probabilities, labels):
    """Print accuracy and calibration; draw the confusion matrix and the reliability diagram."""
    scores, read = score(probabilities, labels), probabilities.argmax(axis=1)
    low, high = scores.interval
    print(f"accuracy {scores.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}, n = {scores.count:,})")
    print(f"calibration error {scores.ece:.4f}, negative log-likelihood {scores.nll_of_labels:.4f} nats")
    _, (matrix, diagram) = plt.subplots(1, 2, figsize=(10, 4.5))
    confusion = confusion_matrix(labels, read)
    matrix.imshow(np.where(np.eye(10), 0, confusion), cmap="Reds")
    for row, column in np.argwhere(confusion):
        matrix.text(column, row, confusion[row, column], ha="center", va="center", fontsize=8)
    matrix.set(title="confusion matrix", xlabel="read as", ylabel="it is", xticks=range(10), yticks=range(10))
    bars = reliability(probabilities.max(axis=1), read == labels)
    diagram.bar(
        [b.low for b in bars], [b.accuracy for b in bars], [0.95 * (b.high - b.low) for b in bars], align="edge"
    )
    diagram.plot([0, 1], [0, 1], "k--")
    diagram.set(title="reliability", xlabel="confidence", ylabel="share of right answers")
    plt.show()


def show_worst(probabilities, split, count=12):
    """The wrong answers that were most confident."""
    mistakes = find_mistakes(probabilities, split, count)
    titles = [f"{m.label} read {m.read}, {m.confidence:.0%}" for m in mistakes]
    if mistakes:
        show([split.images[m.index] for m in mistakes], titles)


probabilities = classifier.classify(to_input(mnist.validation.images))
look_at(probabilities, mnist.validation.labels)

# %% [markdown]
# The worst errors: wrong, and most confident of it. Some of them a person would not read either.

# %%
show_worst(probabilities, mnist.validation)

# %% [markdown]
# ## The shipped model on the test set
#
# The model that comes with the package, on pictures that nothing was chosen on. What `digits evaluate` measures beyond
# this - each digit, the 15 corruptions of MNIST-C, speed - is kept in
# [docs/evaluation](docs/evaluation/evaluation.md) and summed up in [MODEL_CARD.md](MODEL_CARD.md).

# %%
recognizer = Recognizer()
test = mnist.test.first(LIMIT)
probabilities = recognizer.classifier.classify(to_input(test.images))
look_at(probabilities, test.labels)
show_worst(probabilities, test)

# %% [markdown]
# ## A prediction
#
# The seven from above, by the shipped model. The percentages include the possibility that this is no digit.

# %%
result = recognizer.recognize(pad)
digit = result.digits[0]
print(f"text {result.text!r}, verdict {digit.verdict!r}")
for label, share in digit.top(3):
    print(f"{label}: {share:.1%}")

figure, (seen, shares) = plt.subplots(1, 2, figsize=(7, 2.6))
seen.imshow(digit.image, cmap="gray_r")
seen.set(title="what the network saw", xticks=[], yticks=[])
shares.bar(range(10), digit.probabilities)
shares.set(title="probabilities", xticks=range(10), ylim=(0, 1))
plt.show()
