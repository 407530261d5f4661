"""Bringing data in: Branch's raw exports, links, costs, exchange rates."""
