"""Tools that a student learns to call: what they are called, what they take, and how people ask for them.

What they are stands in modules of plain content, one for some areas each; a new one is registered in ``choosing``.
"""

from .choosing import BARE, TOOLS, fill, offered, read_offer, record_tool, shared_tools
from .tool import Offer, Tool

__all__ = ["BARE", "TOOLS", "Offer", "Tool", "fill", "offered", "read_offer", "record_tool", "shared_tools"]
