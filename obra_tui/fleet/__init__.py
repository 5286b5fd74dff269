"""Several hosts: stages of attempts as jobs of a shared database, done by workers, asked for by one coordinator.

Implements the ports `Implementer`, `CheckRunner` and `Judge` over jobs, and the worker that does them. The other rooms
are handed in by the composition root; the engine does not know that its work is done elsewhere. Every write of a
worker carries the epoch in which it holds the job: who lost it, or thaws too late, changes nothing any more.
"""
