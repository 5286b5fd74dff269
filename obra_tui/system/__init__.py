"""What the operating system is asked: processes, limits, errors. Knows nothing of Obra's domain."""
