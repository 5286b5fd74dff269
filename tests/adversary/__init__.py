"""Programs that try to get unsafe work accepted, or to get out; anyone can run them."""
