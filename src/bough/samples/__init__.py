"""What `bough demo` starts with: a bookshop and a year of its life, all invented."""
