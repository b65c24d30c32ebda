"""Fuzzing: whatever a stranger writes, a reader, a parser or a mask returns or refuses, and never breaks.

python -m tests.fuzz --seconds 60
"""
