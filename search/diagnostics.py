"""What SRU says when it cannot do what was asked: numbered diagnostics with their messages.

Hides the list of the Library of Congress, "SRU Diagnostics List" (info:srw/diagnostic/1), of which this holds
what Carbet may say. What ``details`` holds is fixed there for each number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kb.errors import SearchError

MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        1: "General system error",
        2: "System temporarily unavailable",
        4: "Unsupported operation",
        5: "Unsupported version",
        6: "Unsupported parameter value",
        7: "Mandatory parameter not supplied",
        8: "Unsupported parameter",
        10: "Query syntax error",
        12: "Too many characters in query",
        13: "Invalid or unsupported use of parentheses",
        14: "Invalid or unsupported use of quotes",
        15: "Unsupported context set",
        16: "Unsupported index",
        19: "Unsupported relation",
        20: "Unsupported relation modifier",
        22: "Unsupported combination of relation and index",
        24: "Unsupported combination of relation and term",
        26: "Non special character escaped in term",
        27: "Empty term unsupported",
        28: "Masking character not supported",
        29: "Masked words too short",
        31: "Anchoring character not supported",
        33: "Combination of proximity/adjacency and masking characters not supported",
        35: "Term contains only stopwords",
        36: "Term in invalid format for index or relation",
        38: "Too many boolean operators in query",
        39: "Proximity not supported",
        46: "Unsupported boolean modifier",
        48: "Query feature unsupported",
        49: "Masking character in unsupported position",
        50: "Result sets not supported",
        59: "Result set not created: too many matching records",
        61: "First record position out of range",
        64: "Record temporarily unavailable",
        66: "Unknown schema for retrieval",
        67: "Record not available in this schema",
        71: "Unsupported record packing",
        72: "XPath retrieval unsupported",
        80: "Sort not supported",
        82: "Unsupported sort sequence",
        84: "Too many sort keys to sort",
        87: "Unsupported schema for sort",
        88: "Unsupported path for sort",
        90: "Unsupported direction",
        91: "Unsupported case",
        92: "Unsupported missing value action",
        94: "Sort specification included both in query and protocol: query prevails",
        110: "Stylesheets not supported",
    }
)
"""Number of a diagnostic -> what it means."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that could not be done; ``details`` says which part of the request is meant."""

    number: int
    details: str = ""

    @property
    def uri(self) -> str:
        """Its name everywhere."""
        return f"info:srw/diagnostic/1/{self.number}"

    @property
    def message(self) -> str:
        """What it means, in English as in the list."""
        return MESSAGES[self.number]


class Unanswerable(SearchError):
    """A request of SRU that cannot be answered, for the reason of its ``diagnostic``."""

    def __init__(self, number: int, details: str | int = "") -> None:
        self.diagnostic = Diagnostic(number, str(details))
        super().__init__(f"{number} {self.diagnostic.message}: {details}")
