"""A wire of a given length between two tap devices: every frame that goes in at one end comes out at the other so much later.

usage: delay-line.py TAP TAP MILLISECONDS

Writes a line when frames pass; ends when its standard input does. Frames that wait beyond QUEUE_BYTES are dropped, as a router does.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

SET_INTERFACE = 0x400454CA  # TUNSETIFF
TAP_WITHOUT_HEADER = 0x0002 | 0x1000  # IFF_TAP | IFF_NO_PI
LONGEST_FRAME = 65_600
FRAMES_AT_ONCE = 64
QUEUE_BYTES = 64 * 2**20


class End:
    """One end of the wire, with what is on its way to it."""

    def __init__(self, name):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, SET_INTERFACE, struct.pack("16sH22x", name.encode(), TAP_WITHOUT_HEADER))
        self.coming = collections.deque()
        self.coming_bytes = 0

    def take(self, frame, at):
        if self.coming_bytes + len(frame) > QUEUE_BYTES:
            return
        self.coming.append((at, frame))
        self.coming_bytes += len(frame)

    def deliver(self, now):
        while self.coming and self.coming[0][0] <= now:
            _, frame = self.coming.popleft()
            self.coming_bytes -= len(frame)
            try:
                os.write(self.fd, frame)
            except OSError:  # The interface is down, or its queue is full.
                pass


def main(first, second, milliseconds):
    delay = float(milliseconds) / 1000
    ends = [End(first), End(second)]
    other = {ends[0].fd: ends[1], ends[1].fd: ends[0]}
    poll = select.epoll()
    for fd in (*other, sys.stdin.fileno()):
        poll.register(fd, select.EPOLLIN)
    print("frames pass", flush=True)
    while True:
        due = min((end.coming[0][0] for end in ends if end.coming), default=None)
        timeout = -1 if due is None else max(0.0, due - time.monotonic())
        for fd, _ in poll.poll(timeout):
            if fd not in other:
                if not os.read(fd, 1024):
                    return
                continue
            for _ in range(FRAMES_AT_ONCE):
                try:
                    frame = os.read(fd, LONGEST_FRAME)
                except OSError:
                    break
                other[fd].take(frame, time.monotonic() + delay)
        now = time.monotonic()
        for end in ends:
            end.deliver(now)


main(*sys.argv[1:])
