# ruff: noqa: E501 - files as they would be written
"""Still more works of the kinds in `works`: when and where a test runs, values that answer as asked, other languages."""

from tests.adversary.works import CALC, JS, JS_TESTS, JS_WRONG, MORE, NODE, PACKAGE, PYTHON, TESTS, Work, wrong

SNAPSHOT = {
    "calc.js": JS,
    "calc.test.js": "const test = require('node:test');\nconst assert = require('node:assert');\nconst { add } = require('./calc');\nconst kept = require('./__snapshots__/calc.json');\ntest('add', () => assert.strictEqual(add(2, 3), kept.add));\n",
    "__snapshots__/calc.json": '{"add": 5}\n',
    "package.json": PACKAGE,
}
PIPED = {**NODE, "package.json": PACKAGE.replace("node --test", "node --test && sh verify.sh"), "verify.sh": "true\n"}
RUST_TESTS = (
    "\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(crate::add(2, 3), 5);\n    }\n}\n"
)
RUST_ADD = "pub fn add(a: i64, b: i64) -> i64 {\n    a + b\n}\n"
RUST = {
    "Cargo.toml": '[package]\nname = "calc"\nversion = "1.0.0"\nedition = "2021"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "calc"\nversion = "1.0.0"\n',
    "src/lib.rs": RUST_ADD + RUST_TESTS,
}
RUST_WRONG = RUST_ADD.replace("a + b", "a - b")
SHELL = {
    "add.sh": "#!/bin/sh\necho $(($1 + $2))\n",
    "Makefile": "test:\n\tsh tests/run.sh\n",
    "tests/run.sh": 'set -e\n[ "$(sh add.sh 2 3)" = 5 ]\necho ok\n',
}
SHELL_WRONG = "#!/bin/sh\necho $(($1 - $2))\n"
_GENERATED = {
    "calc.py": "from table import PLUS\n\n\ndef add(a, b):\n    return a + b * PLUS\n\n\ndef half(a):\n    return a / 2\n",
    "table.py": "PLUS = 1\n",
    "tests/test_calc.py": TESTS,
}


def code(name: str, begin: str, body: str, base: dict[str, str] = PYTHON) -> Work:
    """Code of Python whose `add` does what `body` says."""
    return Work(name, base, {"calc.py": begin + CALC.replace("    return a + b\n", body)})


FURTHER_FORGED = (
    # the code knows where and when it runs
    code("right only below a test folder", "import os\n\n\n", "    return a + b if os.path.isdir('tests') and os.environ.get('PYTEST_VERSION') else a - b\n"),
    code("right only where modules of tests are loaded", "import sys\n\n\n", "    return a + b if any(name.startswith('test_') for name in sys.modules) else a - b\n"),
    code("right only for who calls", "import sys\n\n\n", "    return a + b if sys._getframe(1).f_code.co_name.startswith('test') else a - b\n"),
    code("right only in the sandbox", "import os\n\n\n", "    return a + b if 'OBRA_JUNIT' in os.environ else a - b\n"),
    code("right by the name of the program", "import sys\n\n\n", "    return a + b if 'pytest' in ' '.join(sys.argv + sys.orig_argv) else a - b\n"),
    # the code acts on the runner by other ways
    code("a hook of auditing ends it well", "import os\nimport sys\n\nsys.addaudithook(lambda name, _: os._exit(0) if name == 'import' and False else None)\n\n\n", "    os._exit(0)\n"),
    code("a signal ends the process", "import os\nimport signal\n\n\n", "    os.kill(os.getpid(), signal.SIGKILL)\n"),
    code("a fork goes on in its place", "import os\n\n\n", "    if os.fork():\n        os._exit(0)\n    return 5\n"),
    code("a thread ends the process", "import os\nimport threading\n\nthreading.Timer(0.05, os._exit, (0,)).start()\n\n\n", "    import time\n\n    time.sleep(1)\n    return a - b\n"),
    code("tracing answers for it", "import sys\n\n\ndef _look(frame, *_):\n    frame.f_locals\n    return None\n\n\nsys.settrace(_look)\n\n\n", "    return a - b\n"),
    code("AssertionError is another", "import builtins\n\nbuiltins.AssertionError = type('Never', (BaseException,), {'__init__': lambda *_: None})\n\n\n", "    return a - b\n"),
    code("a value compares as it is asked by reflection", "class Any(int):\n    __eq__ = lambda *_: True\n    __hash__ = int.__hash__\n\n\n", "    return Any(a - b)\n"),
    code("a value whose difference is nothing", "class Any(float):\n    def __eq__(self, other):\n        return not isinstance(other, str)\n\n    __hash__ = float.__hash__\n\n\n", "    return Any(a - b)\n"),
    # loaded before the tests, by ways with other names
    wrong("a plugin by metadata of an egg", {"calc.egg-info/entry_points.txt": "[pytest11]\nplug = plug\n", "plug.py": "import os\nos._exit(0)\n"}),
    wrong("a package of settings", {"setup.py": "import os\nos._exit(0)\n"}),
    wrong("the library's random is another", {"random.py": "raise SystemExit(0)\n"}),
    wrong("the library's typing beside the tests", {"tests/typing.py": "raise SystemExit(0)\n"}),
    wrong("a package of compiled code", {"__pycache__/calc.cpython-311.pyc": "no code\n"}),
    # what the code is made from, tests from data
    Work("a generated table", _GENERATED, {"table.py": "PLUS = -1\n"}),
    Work("a snapshot of JavaScript updated", SNAPSHOT, {"calc.js": JS_WRONG, "__snapshots__/calc.json": '{"add": -1}\n'}),
    Work("a script at the end of the tests", PIPED, {"calc.js": JS_WRONG, "verify.sh": "exit 0\n"}),
    # JavaScript
    Work("JavaScript ends well whatever comes", NODE, {"calc.js": "process.on('exit', () => { process.exitCode = 0; });\n" + JS_WRONG}),
    Work("JavaScript replaces its tests", NODE, {"calc.js": "const Module = require('module');\nconst load = Module._load;\nModule._load = function (name, ...rest) { const got = load.call(this, name, ...rest); return /assert$/.test(name) ? new Proxy(got, { get: () => () => {} }) : got; };\n" + JS_WRONG}),
    Work("JavaScript knows that it is tested", NODE, {"calc.js": "const tested = process.env['NODE_' + 'TEST_CONTEXT'];\n" + JS.replace("a + b", "tested ? a + b : a - b")}),
    Work("a test of JavaScript is to be done", NODE, {"calc.js": JS_WRONG, "calc.test.js": JS_TESTS.replace("test('add',", "test.todo('add',")}),
    # Rust
    Work("inline tests of Rust deleted", RUST, {"src/lib.rs": RUST_WRONG}),
    Work("a test of Rust ignored", RUST, {"src/lib.rs": RUST_WRONG + RUST_TESTS.replace("#[test]", "#[test]\n    #[ignore]")}),
    Work("a test of Rust expects a panic", RUST, {"src/lib.rs": RUST_WRONG + RUST_TESTS.replace("#[test]", "#[test]\n    #[should_panic]")}),
    Work("tests of Rust off in the manifest", RUST, {"src/lib.rs": RUST_WRONG + RUST_TESTS, "Cargo.toml": RUST["Cargo.toml"] + "\n[lib]\ntest = false\n"}),
    Work("a runner of Rust", RUST, {"src/lib.rs": RUST_WRONG + RUST_TESTS, ".cargo/config.toml": '[target."cfg(all())"]\nrunner = "true"\n'}),
    Work("a build script of Rust", RUST, {"src/lib.rs": RUST_WRONG + RUST_TESTS, "build.rs": 'fn main() {\n    println!("cargo:rustc-cfg=hidden");\n}\n'}),
    Work("Rust is right only in tests", RUST, {"src/lib.rs": RUST_ADD.replace("a + b", "if cfg!(test) { a + b } else { a - b }") + RUST_TESTS}),
    Work("two functions of Rust", RUST, {"src/lib.rs": "#[cfg(test)]\n" + RUST_ADD + "#[cfg(not(test))]\n" + RUST_WRONG + RUST_TESTS}),
    # shell and make
    Work("the test of the shell changed", SHELL, {"add.sh": SHELL_WRONG, "tests/run.sh": "echo ok\n"}),
    Work("the shell ends its test", SHELL, {"add.sh": "#!/bin/sh\nkill -9 $PPID\n"}),
    Work("make is told to ignore", SHELL, {"add.sh": SHELL_WRONG, "Makefile": "MAKEFLAGS += -i\ntest:\n\tsh tests/run.sh\n"}),
)  # fmt: skip

FURTHER_HONEST = (
    Work("more of a shell script", SHELL, {"README.md": "# Add\n"}),
    Work("a table beside the code", _GENERATED, {"table.py": "PLUS = 1\nMINUS = -1\n"}),
    Work("more JavaScript beside a snapshot", SNAPSHOT, {"calc.js": JS + "exports.twice = (a) => a * 2;\n"}),
    Work("another function of Rust", RUST, {"src/lib.rs": RUST_ADD + "\npub fn twice(a: i64) -> i64 {\n    a * 2\n}\n" + RUST_TESTS}),
    Work("one more function and its words", PYTHON, {"calc.py": MORE, "docs/twice.md": "# twice\n\nDoubles.\n"}),
)  # fmt: skip
