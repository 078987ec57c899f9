"""telnet3215.py - an operator at a telnet 3215, for console.sh.

  telnet3215.py PORT COMMAND EXPECTED [COMMAND EXPECTED ...]   enters each command, waits for its answer
  telnet3215.py PORT --mute SECONDS                            connects and reads nothing for so long

The emulator asks for the terminal type (RFC 1091); one that is no IBM-327x gets a printer-keyboard. Ends abruptly: the
connection is reset, not closed, as when an operator's machine dies.
"""
import re
import socket
import struct
import sys
import time

IAC, DO, WILL, SB, SE, TTYPE = 255, 253, 251, 250, 240, 24


class Terminal:
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), 10)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.text = ""

    def receive(self, seconds):
        """Takes what comes; answers the terminal type, ignores every other option."""
        self.s.settimeout(max(0.01, seconds))
        try:
            data = self.s.recv(65536)
        except socket.timeout:
            return True
        if bytes([IAC, DO, TTYPE]) in data:
            self.s.sendall(bytes([IAC, WILL, TTYPE]))
        if bytes([IAC, SB, TTYPE, 1]) in data:
            self.s.sendall(bytes([IAC, SB, TTYPE, 0]) + b"VT100" + bytes([IAC, SE]))
        data = re.sub(rb"\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe].", b"", data, flags=re.S)
        self.text += data.decode("latin-1")
        return len(data) > 0

    def expect(self, what, seconds):
        end = time.time() + seconds
        while what not in self.text:
            if time.time() > end:
                sys.exit("no %r within %d s; the console says:\n%s" % (what, seconds, self.text[-2000:]))
            self.receive(end - time.time())


terminal = Terminal(int(sys.argv[1]))
terminal.expect("onnected", 10)  # each emulator greets in its own words
if sys.argv[2] == "--mute":
    time.sleep(float(sys.argv[3]))
    sys.exit(0)
for command, expected in zip(sys.argv[2::2], sys.argv[3::2]):
    # What was queued for an absent operator comes first; the answer is what comes after that.
    terminal.text = "-"
    while terminal.text:
        terminal.text = ""
        terminal.receive(0.5)
    # An attention that meets a busy device is lost by the emulator: the operator enters the line again.
    for attempt in range(5):
        terminal.s.sendall(command.encode("latin-1") + b"\r\n")
        end = time.time() + 2
        while time.time() < end and expected not in terminal.text:
            terminal.receive(end - time.time())
        if expected in terminal.text:
            break
    terminal.expect(expected, 1)
