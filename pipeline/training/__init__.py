"""Training: batches, the optimizer loop, the teacher's correction, and ``ModelDistiller``."""
