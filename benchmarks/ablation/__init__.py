"""An ablation that anyone can repeat and stop: which layers, which divergence, how many samples; see ``__main__``."""
