"""A terminal for tests."""


class Terminal:
    """A stream that says whether it is a terminal, and keeps what is written."""

    def __init__(self, is_terminal):
        self.is_terminal, self.text = is_terminal, ""

    def isatty(self):
        return self.is_terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def is_clean(self):
        """Whether the current line is blank, with the cursor at its start."""
        line, cursor = {}, 0
        for character in self.text.rsplit("\n", 1)[-1]:
            cursor = 0 if character == "\r" else cursor + 1
            line[cursor] = character
        return cursor == 0 and all(line[at] in " \r" for at in line)
