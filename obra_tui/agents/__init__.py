"""Claude Code as the port `Implementer`: start it, watch it, answer it, and leave no process behind.

Nothing here judges the work. `claude_code.ClaudeCode` is the way in; the modules that read frames, commands and
endings are pure, so that they can be tested with recorded lines.
"""
