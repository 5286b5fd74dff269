"""Full-text search over the journal: the query language in SQL, words, prefixes, and one index per database product."""
