"""One runnable file per figure, with a peer or the physical limit in the same run; see docs/guides/benchmarks.md."""
