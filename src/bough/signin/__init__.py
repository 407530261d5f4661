"""Sign-in for the web pages: passwords, one-time codes, OpenID Connect, sessions and one-time links."""
