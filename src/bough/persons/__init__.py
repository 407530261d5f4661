"""Access requests and erasure: everything that is known of one person, told or taken away."""
