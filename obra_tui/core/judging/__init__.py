"""What is known of the judge: limits on its error rates, and what its record allows it to decide. Pure."""
