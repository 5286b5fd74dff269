"""Run the real Claude Code program from the wheel, shut off from everything but the loopback server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def bundled_claude() -> Path:
    """The program in the SDK's wheel; the test is skipped where the wheel holds none."""
    import claude_agent_sdk

    program = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    if not program.is_file():
        pytest.skip("claude-agent-sdk was installed without its bundled Claude Code program")
    return program


@dataclass(frozen=True)
class Run:
    code: int
    frames: list[dict[str, Any]]
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        return next(f for f in reversed(self.frames) if f.get("type") == "result")

    @property
    def tools(self) -> list[str]:
        blocks = (b for f in self.frames if f.get("type") == "assistant" for b in f["message"]["content"])
        return [b["name"] for b in blocks if b["type"] == "tool_use"]

    @property
    def text(self) -> str:
        blocks = (b for f in self.frames if f.get("type") == "assistant" for b in f["message"]["content"])
        return "\n".join(b["text"] for b in blocks if b["type"] == "text")


@dataclass(frozen=True)
class Claude:
    home: Path
    repo: Path
    base_url: str

    def environment(self, **more: str) -> dict[str, str]:
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
            "TMPDIR": str(self.home / "tmp"),
            "ANTHROPIC_BASE_URL": self.base_url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "IS_SANDBOX": "1",
            **more,
        }

    def run(self, prompt: str, *options: str, **env: str) -> Run:
        fixed = ("-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits")
        done = subprocess.run(
            [str(bundled_claude()), *fixed, *options, prompt],
            cwd=self.repo,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Run(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)


def run_pytest(repo: Path) -> subprocess.CompletedProcess[str]:
    """Run the project's own tests as a stranger would."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=repo, env=env, capture_output=True, text=True, timeout=60)
