"""What is put off is there for whoever needs it, OpenSSL above all, and not in memory before."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]


def told_by(program):
    """Return what a program of its own says, which began as a run without a screen does."""
    head = "import sys\nfrom obra_tui.bootstrap.late import load_when_needed\nload_when_needed()\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    return (done.stdout + done.stderr).strip()


def test_a_run_loads_all_that_it_needs_and_nothing_that_was_put_off():
    said = told_by("""
        import asyncio, importlib
        from obra_tui.agents.claude_code import warm_up
        warm_up()
        for name in ("bootstrap.engine", "bootstrap.start", "store.journal", "store.history", "judge.client"):
            importlib.import_module(f"obra_tui.{name}")
        import obra_tui.engine.orchestrator, obra_tui.evidence.workspace, obra_tui.evidence.checks
        import obra_tui.headless.follow
        print(sorted({"_ssl", "_hashlib", "zipfile", "idna.core", "difflib", "platformdirs"} & set(sys.modules)))
    """)
    assert said == "[]"


def test_plain_http_is_spoken_without_openssl():
    said = told_by("""
        import asyncio
        from obra_tui.judge.lean_httpx import NO_TLS, httpx
        async def answer(reader, writer):
            await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello")
            await writer.drain()
            writer.close()
        async def main():
            async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                async with httpx.AsyncClient(verify=NO_TLS, trust_env=False) as client:
                    print((await client.get(f"http://127.0.0.1:{port}/")).text)
        asyncio.run(main())
        print(sorted({"_ssl", "_hashlib"} & set(sys.modules)))
    """)
    assert said == "hello\n[]"


def test_tls_is_spoken_where_an_address_asks_for_it_and_who_cannot_be_trusted_is_refused():
    said = told_by("""
        import asyncio, ssl
        from obra_tui.judge.lean_httpx import httpx
        async def answer(reader, writer):
            await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello")
            await writer.drain()
            writer.close()
        def nameless(kind):  # TLS in which neither side shows a certificate
            made = ssl.SSLContext(kind)
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            made.maximum_version = ssl.TLSVersion.TLSv1_2
            made.set_ciphers("aNULL:@SECLEVEL=0")
            return made
        async def main():
            serving = nameless(ssl.PROTOCOL_TLS_SERVER)
            async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving) as server:
                port = server.sockets[0].getsockname()[1]
                for verify in (nameless(ssl.PROTOCOL_TLS_CLIENT), True):
                    async with httpx.AsyncClient(verify=verify, trust_env=False) as client:
                        try:
                            print((await client.get(f"https://127.0.0.1:{port}/")).text)
                        except httpx.ConnectError:
                            print("refused")
        asyncio.run(main())
    """)
    assert said == "hello\nrefused"


def test_the_first_use_may_be_by_many_threads_at_once():
    said = told_by("""
        import ssl, threading
        sys.setswitchinterval(1e-6)
        start, found = threading.Barrier(8), []
        def ask():
            start.wait()
            found.append((ssl.create_default_context, ssl.SSLWantReadError, ssl.OP_NO_SSLv3, ssl.Purpose.SERVER_AUTH))
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(found), len(set(found)), type(ssl).__name__)
    """)
    assert said == "8 1 module"


def test_a_class_that_was_named_before_is_the_real_one_then():
    said = told_by("""
        from ssl import SSLContext as Early
        import ssl
        print(isinstance(3, Early), "_ssl" in sys.modules)
        made = Early(ssl.PROTOCOL_TLS_CLIENT)
        class Own(Early): ...
        print(type(made) is ssl.SSLContext, isinstance(made, Early), Own.__mro__[1] is ssl.SSLContext)
        print(Early.sslsocket_class is ssl.SSLSocket, ssl.SSLContext is Early)
    """)
    assert said == "False False\nTrue True True\nTrue False"


def test_what_ssl_does_not_have_is_missed_as_ever():
    said = told_by("""
        import ssl
        try:
            ssl.no_such_thing
        except AttributeError as error:
            print(error)
        print(ssl.__spec__.loader.get_source("ssl")[:3] != "", ssl.__loader__ is ssl.__spec__.loader)
    """)
    assert said == "module 'ssl' has no attribute 'no_such_thing'\nTrue True"


def test_sums_are_the_same_without_openssl_and_others_may_still_load_it():
    said = told_by("""
        import hashlib, hmac
        print(hashlib.sha256(b"obra").hexdigest()[:16], hashlib.new("sha1", b"obra").hexdigest()[:8])
        print(hmac.new(b"key", b"obra", "sha256").hexdigest()[:8], "_hashlib" in sys.modules)
        import _hashlib
        print(_hashlib.openssl_sha256(b"obra").hexdigest()[:16])
    """)
    assert said == told_by_openssl()


def told_by_openssl():
    import hashlib
    import hmac

    whole = hashlib.sha256(b"obra").hexdigest()[:16]
    short = hashlib.sha1(b"obra", usedforsecurity=False).hexdigest()[:8]
    return f"{whole} {short}\n{hmac.new(b'key', b'obra', 'sha256').hexdigest()[:8]} False\n{whole}"


def test_what_is_loaded_already_stays_as_it_is():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import ssl, hashlib, asyncio, sys\nbefore = (ssl, ssl.SSLContext, sys.modules['_hashlib'])\n"
            "from obra_tui.bootstrap.late import load_when_needed\nload_when_needed()\n"
            "print(before == (sys.modules['ssl'], ssl.SSLContext, sys.modules['_hashlib']), type(ssl).__name__)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "True module\n"
