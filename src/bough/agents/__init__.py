"""What a User-Agent says, as pure functions: `parts` cuts it up, `robots` tells robots from people by the parts."""
