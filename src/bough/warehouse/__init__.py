"""The analysis tables and how attributed events become rows of them (docs/exports.md)."""
