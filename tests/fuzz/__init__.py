"""Fuzzing: whatever a stranger writes, a reader, a parser or a mask returns or refuses, and never breaks.

The test replays the corpus and tries a few made-up texts. Atheris goes on from there, guided by what code runs:

    make fuzz FUZZ='--seconds 600'

Inputs that reach new code are kept in `corpus/`, a file a target, an input a line.
"""
