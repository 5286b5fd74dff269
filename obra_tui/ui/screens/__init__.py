"""The screens: each lays out widgets, turns keys into commands and views into what the widgets show."""
