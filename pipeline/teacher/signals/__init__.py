"""Signals: what the teacher says at the answers' tokens, from the model at hand or from files written before.

The loss asks both in the same way and does not know which it has.
"""

from .cached import CachedSignals
from .capture import capture
from .choosing import asks_teacher, chosen_signals, why_online
from .identity import identity_of
from .kinds import KINDS, SignalSettings
from .online import OnlineSignals
from .signal import Signal, Signals
from .store import SignalStore

__all__ = [
    "KINDS",
    "CachedSignals",
    "OnlineSignals",
    "Signal",
    "SignalSettings",
    "SignalStore",
    "Signals",
    "asks_teacher",
    "capture",
    "chosen_signals",
    "identity_of",
    "why_online",
]
