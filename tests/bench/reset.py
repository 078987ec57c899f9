"""reset.py - one trial of tests/bench/reset.sh: an s3270 session to a dynamic VIPA, the kill of the system that owns it, and the
time until the same s3270 shows a usable screen again.

    reset.py HOST LIMIT_SECONDS KILL...      prints "TOOK seconds" or "LOST"

The user's side is always the same: one ENTER after the kill; when s3270 says that the connection is gone, it connects
again, until a screen with an input field stands there. Nothing in it knows which way the stack behaves.
"""
import subprocess
import sys
import time


class Terminal:
    def __init__(self):
        self.p = subprocess.Popen(["s3270", "-utf8", "-model", "3279-2-E", "-xrm", "s3270.unlockDelay: false"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def act(self, action):
        """Data lines and status of one action; ok False when s3270 refused it or is gone."""
        try:
            self.p.stdin.write(action + "\n")
            self.p.stdin.flush()
        except BrokenPipeError:
            return False, []
        lines = []
        for line in self.p.stdout:
            line = line.rstrip("\n")
            if line in ("ok", "error"):
                return line == "ok", lines
            lines.append(line)
        return False, lines

    def usable(self, seconds):
        ok, _ = self.act("Wait(%g,InputField)" % seconds)
        return ok

    def log_on(self, host):
        if not (self.act("Connect(%s)" % host)[0] and self.usable(10)):
            return False
        for step in ('String("ibmuser")', "Tab()", 'String("sys1")', "Enter()"):
            self.act(step)
        self.act("Wait(10,Unlock)")
        return any("PRIMARY MENU" in line for line in self.act("Ascii()")[1])


def main():
    host, limit, kill = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    t = Terminal()
    if not t.log_on(host):
        print("LOST before the kill")
        sys.exit(1)
    begin = time.monotonic()
    subprocess.run(kill, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    t.act("Enter()")
    t.act("Wait(%g,Disconnect)" % limit)
    while time.monotonic() - begin < limit:
        t.act("Disconnect()")
        if t.act("Connect(%s)" % host)[0] and t.usable(1):
            print("TOOK %.3f" % (time.monotonic() - begin))
            t.act("Quit()")
            return
        time.sleep(0.02)
    print("LOST")
    sys.exit(1)


main()
