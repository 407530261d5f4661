"""The analysis tables and how attributed events become rows of them (design.md, "The analysis layout")."""
