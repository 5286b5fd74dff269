"""Textual widgets that know nothing of Obra: plain values in, own Messages out. `python -m widgets` shows them."""
