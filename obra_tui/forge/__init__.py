"""Forges by their HTTP interfaces, as the port `core.forge.Forge`: GitHub, Forgejo and Gitea, GitLab."""
