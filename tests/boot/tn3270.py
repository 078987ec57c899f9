"""tn3270.py - what tests/boot/tn3270.sh asks of the servers that no terminal program does: hundreds of 3270 sessions from
one process, Telnet by hand, datagrams that must come back from where they went. Each command prints what it saw; exit 1 if it is
not what it should be. Written from RFC 854, 1576 and GA23-0059 only.

    tn3270.py mass HOST COUNT      plain TN3270 sessions, all open at once, each logs on and asks for the menu
    tn3270.py slow HOST COUNT      the same while COUNT others log on, ask for long views and read nothing
    tn3270.py telnet HOST          OTELNETD: refused options, echo off for the password, command, messages, three tries
    tn3270.py udp PORT HOST...     an answer from each address that is asked, and from no other
"""
import selectors
import socket
import sys
import time

IAC, DONT, DO, WONT, WILL, SB, SE, EOR = 255, 254, 253, 252, 251, 250, 240, 239


def field(address, text):
    return bytes([0x11, 0x40 | address >> 6, 0x40 | address & 63]) + text.encode("cp037")


class Session:
    """A plain TN3270 client: just enough to be let in and to count screens."""

    def __init__(self, host):
        self.s = socket.create_connection((host, 23), 20)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf, self.rec, self.screens, self.last, self.closed = b"", bytearray(), 0, "", False

    def feed(self, data):
        self.buf += data
        while self.buf:
            b = self.buf
            if b[0] != IAC:
                n = b.find(IAC)
                n = len(b) if n < 0 else n
                self.rec += b[:n]
                self.buf = b[n:]
            elif len(b) < 2:
                return
            elif b[1] == IAC:
                self.rec.append(IAC)
                self.buf = b[2:]
            elif b[1] == EOR:
                self.screens += 1
                self.last = bytes(self.rec).decode("cp037")
                self.rec.clear()
                self.buf = b[2:]
            elif b[1] == SB:
                end = b.find(bytes([IAC, SE]))
                if end < 0:
                    return
                self.s.sendall(bytes([IAC, SB, 24, 0]) + b"IBM-3278-2-E" + bytes([IAC, SE]))
                self.buf = b[end + 2:]
            elif b[1] in (DO, WILL):
                if len(b) < 3:
                    return
                yes = b[2] in (0, 24, 25)
                verb = (WILL if yes else WONT) if b[1] == DO else (DO if yes else DONT)
                self.s.sendall(bytes([IAC, verb, b[2]]))
                self.buf = b[3:]
            else:
                self.buf = b[3 if b[1] in (WONT, DONT) else 2:]

    def key(self, *fields, aid=0x7D):
        self.s.sendall(bytes([aid, 0x40, 0x40]) + b"".join(field(a, t) for a, t in fields) + bytes([IAC, EOR]))


def until(sessions, done, seconds):
    """Reads for all of them until done(session) holds for each; returns how many it holds for."""
    with selectors.DefaultSelector() as sel:
        for s in sessions:
            sel.register(s.s, selectors.EVENT_READ, s)
        end = time.time() + seconds
        while time.time() < end and not all(done(s) for s in sessions):
            for key, _ in sel.select(0.2):
                data = key.data.s.recv(65536)
                if not data:
                    key.data.closed = True
                    sel.unregister(key.fileobj)
                key.data.feed(data)
    return sum(done(s) for s in sessions)


def log_on(sessions):
    if until(sessions, lambda s: "USER ID AND PASSWORD" in s.last, 60) != len(sessions):
        sys.exit("logon screens: only %d of %d" % (sum("USER ID" in s.last for s in sessions), len(sessions)))
    for s in sessions:
        s.key((17 * 80 + 35, "IBMUSER"), (18 * 80 + 35, "SYS1"))
    if until(sessions, lambda s: "PRIMARY MENU" in s.last, 60) != len(sessions):
        sys.exit("menus: only %d" % sum("PRIMARY MENU" in s.last for s in sessions))


def mass(host, count):
    sessions = [Session(host) for _ in range(count)]
    log_on(sessions)
    start = time.time()
    for s in sessions:
        s.key((94, "SYMBOLS"))
    got = until(sessions, lambda s: "SYSNAME" in s.last, 60)
    print("%d sessions at once, %d of them with their view after %.2f s" % (count, got, time.time() - start))
    sys.exit(got != count)


def slow(host, count):
    deaf = []
    for _ in range(count):
        s = Session(host)
        deaf.append(s)
    log_on(deaf)
    for s in deaf:
        for _ in range(200):
            s.key((94, "STATS"))
    start = time.time()
    one = [Session(host)]
    log_on(one)
    for view in ("HOME", "CONN", "ARP", "STATS", "SYMBOLS"):
        one[0].key((94, view))
        until(one, lambda s: s.screens >= 3, 1)
    took = time.time() - start
    for s in deaf:
        s.key((94, "HOME"))
    got = until(deaf, lambda s: "HOME ADDRESSES" in s.last, 60)
    print("a session beside %d deaf ones took %.2f s; %d of those had the last view they asked for" % (count, took, got))
    sys.exit(got != count or took > 10)


def read_until(s, text, seconds=10):
    data, end = b"", time.time() + seconds
    s.settimeout(0.2)
    while text not in data and time.time() < end:
        try:
            part = s.recv(65536)
            if not part:
                break
            data += part
        except socket.timeout:
            pass
    if text not in data:
        sys.exit("%r did not come, but %r" % (text, data))
    return data


def telnet(host):
    s = socket.create_connection((host, 23), 10)
    read_until(s, b"EZYTE27I login: ")
    s.sendall(bytes([IAC, WILL, 31, IAC, DO, 5, IAC, WILL, 34]))
    read_until(s, bytes([IAC, DONT, 31, IAC, WONT, 5, IAC, DONT, 34]))
    s.sendall(b"ibmuser\r\n")
    read_until(s, bytes([IAC, WILL, 1]) + b"EZYTE28I ibmuser Password: ")
    s.sendall(bytes([IAC, DO, 1]) + b"sys1\r\n")
    data = read_until(s, b"PLX0440I")
    assert bytes([IAC, WONT, 1]) in data and b"sys1" not in data, data
    s.sendall(b"D TCPIP,,NETSTAT,HOME\r\nD IPLINFO\r\n")
    data = read_until(s, b"IPL DEVICE")
    assert data.index(b"HOME ADDRESS LIST") < data.index(b"IEE254I"), data
    s.sendall(b"PING 10.1.1.254 (COUNT 1\r\n")
    read_until(s, b"EZZ3112I")  # a message, later
    other = socket.create_connection((host, 23), 10)
    for _ in range(3):
        read_until(other, b"login: ")
        other.sendall(b"root\r\nx\r\n")
    read_until(s, b"PLX0424W OTELNETD: 3 WRONG PASSWORDS FOR root")
    other.settimeout(10)
    while other.recv(4096):
        pass
    s.sendall(b"LOGOFF\r\n")
    read_until(s, b"PLX0443I")
    s.settimeout(10)
    assert s.recv(10) == b""
    print("OTELNETD as it should be")


def udp(port, hosts):
    for host in hosts:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(5)
        s.sendto(b"who are you", (host, port))
        data, who = s.recvfrom(2000)
        print("asked %s, answered by %s" % (host, who[0]))
        if who[0] != host or len(data) != 11:
            sys.exit(1)


if __name__ == "__main__":
    what, args = sys.argv[1], sys.argv[2:]
    if what in ("mass", "slow"):
        {"mass": mass, "slow": slow}[what](args[0], int(args[1]))
    elif what == "telnet":
        telnet(args[0])
    else:
        udp(int(args[0]), args[1:])
