"""How far a race is: a line on the terminal, and now and then a sentence about what takes long before it begins."""

from __future__ import annotations
