"""Training: data, augmentation, network, recipe, calibration, evaluation and corrections."""

from digits.training.memory import keep_freed_memory

keep_freed_memory()  # here, because every room of this package that brings TensorFlow comes after it
