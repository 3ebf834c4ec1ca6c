from typing import Any, Callable

class Box:
    """A box."""
    @property
    def label(self) -> str:
        """What is written on it. Never empty."""
    def open(self, *tools: Any, **how: Any) -> bytes:
        """Open a box."""

class _Box:
    """Make a box. It is empty unless content says otherwise, which may take a long sentence to explain."""
    def __call__(self, label: str, *, colour: str = "red", size: str | int = "64m", content: str | None = None) -> "Box":
        """Make a box. It is empty unless content says otherwise, which may take a long sentence to explain."""
    def get(self, label: Any, default: Any = None) -> "Box":
        """Find a box."""
    @property
    def limit(self) -> int:
        """How many there may be."""

box: _Box

def open(box: str, *tools: Any, **how: Any) -> bytes:
    """Open a box."""

class _Assert:
    """Claims."""

assert_: _Assert
