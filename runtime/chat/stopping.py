"""Stop strings in a stream: what may be shown, and when to end.

Text that may still turn out to be the beginning of a stop string is held back. Does not know tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["StopStrings"]


class StopStrings:
    """Cuts a stream of text before the first stop string.

    Args:
        stops: The strings; none of them is ever shown, not even in part.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.reached = False

    def feed(self, text: str) -> str:
        """The part of everything so far that may be shown now."""
        self._held += text
        starts = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if starts:
            self.reached = True
            shown, self._held = self._held[: min(starts)], ""
            return shown
        keep = self._doubtful()
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def flush(self) -> str:
        """What was held back, once no more text can come."""
        shown, self._held = self._held, ""
        return shown

    def _doubtful(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
