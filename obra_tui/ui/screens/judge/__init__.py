"""The Judge screen: what is known of each judge, and what that allows it to decide."""
