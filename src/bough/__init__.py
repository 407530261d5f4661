"""bough: a self-hosted deep-link and mobile-measurement server that speaks Branch's HTTP API."""

__version__ = "0.1.0"
