"""Cohort exports: a request becomes a plan, the plan one SQL text, its rows exact numbers (docs/exports.md)."""
