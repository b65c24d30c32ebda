import io

from tasks.running.terminal_line import TerminalLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_terminal_line_is_written_over_and_taken_away():
    terminal = Terminal()
    line = TerminalLine(terminal)
    line.show("1 done")
    line.show("2 done")
    line.clear()
    assert terminal.getvalue() == "\r\x1b[K1 done\r\x1b[K2 done\r\x1b[K"


def test_terminal_line_shows_nothing_where_there_is_no_terminal():
    stream = io.StringIO()
    line = TerminalLine(stream)
    line.show("1 done")
    line.clear()
    assert stream.getvalue() == ""


def test_terminal_line_gives_up_on_a_terminal_that_is_gone():
    terminal = Terminal()
    line = TerminalLine(terminal)
    terminal.close()
    line.is_shown = True
    line.show("1 done")
    assert not line.is_shown
