"""Words and lists that every part of the server shares; knows no other part."""
