"""A real small language model as a server of its own: `python -m tests.judge.llama MODEL.gguf` prints its address."""

import sys

import xllamacpp


def main(gguf: str) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.model_alias = {"smollm2"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 1
    params.offline = True
    # more threads than free cores spin at barriers and are slower than one
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the one who started it closes the pipe or dies


if __name__ == "__main__":
    main(sys.argv[1])
