"""Distilling beside itself: cached signals, the teacher at hand, and the loop one writes first; see ``__main__``."""
