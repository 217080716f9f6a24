"""The stages of a run, one file each: what goes in, and the work. ``store`` keeps their products."""

from .store import Product, Stage, Stages, Work

__all__ = ["Product", "Stage", "Stages", "Work"]
