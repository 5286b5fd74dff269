"""Runs the work: asyncio and core, nothing else."""
