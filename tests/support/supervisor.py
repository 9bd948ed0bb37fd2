#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0

"""Stands in for systemd in the tests: holds the agent's listening socket and its stored descriptors while the agent is dead.

Starts COMMAND with the socket (LISTEN_FDS, LISTEN_FDNAMES=agent) and whatever the agent has stored (FDSTORE=1 over NOTIFY_SOCKET, as in
sd_notify(3)), starts it again when it dies, and stops it when it gets SIGTERM itself. Descriptors whose peer is gone are dropped, as systemd
does. SIGHUP is passed on. Ends with the agent's status when that ends by itself with 0 or 78 (a bad configuration).
"""

import argparse
import array
import os
import select
import signal
import socket
import sys
import time

STORE_MAX = 512
MESSAGE_MAX = 4096
RESTART_PAUSE_S = 0.1
STOP_TIMEOUT_S = 10
FINAL_STATUSES = (0, 78)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--socket', required=True, help='path of the SOCK_SEQPACKET socket to listen on')
    parser.add_argument('--notify', required=True, help='path of the datagram socket for sd_notify')
    parser.add_argument('--pid-file', required=True, help="file that holds the agent's pid while it runs")
    parser.add_argument('--log', required=True, help='file to which the agent writes (appended)')
    parser.add_argument('--ready-file', help='file that exists while the agent is ready (READY=1)')
    parser.add_argument('--watchdog', type=float, default=0, metavar='S',
                        help='kill the agent when it has not said WATCHDOG=1 for so long')
    parser.add_argument('command', nargs='+', help='the agent and its arguments, after --')
    return parser.parse_args()


def bind(path, kind):
    if os.path.exists(path):
        os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    sock.bind(path)
    return sock


class Store:
    """The stored descriptors by name, in the order in which they came."""

    def __init__(self):
        self.by_name = {}

    def put(self, name, fd):
        if len(self.by_name) >= STORE_MAX or name in self.by_name:
            os.close(fd)
            return
        self.by_name[name] = fd

    def remove(self, name):
        fd = self.by_name.pop(name, None)
        if fd is not None:
            os.close(fd)

    def drop_dead(self):
        poll = select.poll()
        for fd in self.by_name.values():
            poll.register(fd, 0)
        dead = {fd for fd, events in poll.poll(0) if events & (select.POLLHUP | select.POLLERR)}
        for name in [n for n, fd in self.by_name.items() if fd in dead]:
            self.remove(name)


class Supervisor:
    def __init__(self, arguments):
        self.arguments = arguments
        self.listener = bind(arguments.socket, socket.SOCK_SEQPACKET)
        os.chmod(arguments.socket, 0o666)
        self.listener.listen(4096)
        self.notify = bind(arguments.notify, socket.SOCK_DGRAM)
        self.notify.setblocking(False)
        self.log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.store = Store()
        self.pid = 0
        self.starts = 0
        self.last_sign_of_life = 0
        self.stopping = False

    def say(self, text):
        os.write(self.log, ('supervisor: %s\n' % text).encode())

    # --- the agent ---

    def environment(self, names):
        env = {k: v for k, v in os.environ.items() if k != 'OPENSSL_CONF'}
        env['NOTIFY_SOCKET'] = os.path.abspath(self.arguments.notify)
        env['LISTEN_FDS'] = str(len(names))
        env['LISTEN_FDNAMES'] = ':'.join(names)
        env.pop('WATCHDOG_USEC', None)
        if self.arguments.watchdog > 0:
            env['WATCHDOG_USEC'] = str(int(self.arguments.watchdog * 1e6))
        return env

    def exec_agent(self, env, descriptors):
        # Out of the way first: descriptor 3 may be one of ours.
        copies = [os.dup(fd) for fd in descriptors]
        free = 3 + len(copies)
        while any(fd < free for fd in copies):
            copies = [fd if fd >= free else os.dup(fd) for fd in copies]
        os.dup2(self.log, 1)
        os.dup2(self.log, 2)
        for number, fd in enumerate(copies):
            os.dup2(fd, 3 + number, inheritable=True)
        os.closerange(3 + len(copies), os.sysconf('SC_OPEN_MAX') if os.sysconf('SC_OPEN_MAX') < 65536 else 65536)
        env['LISTEN_PID'] = str(os.getpid())
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execve(self.arguments.command[0], self.arguments.command, env)

    def start(self):
        self.read_notifications()
        self.store.drop_dead()
        names = ['agent'] + list(self.store.by_name)
        descriptors = [self.listener.fileno()] + list(self.store.by_name.values())
        env = self.environment(names)
        self.starts += 1
        self.last_sign_of_life = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.exec_agent(env, descriptors)
            except OSError as error:
                os.write(2, ('supervisor: %s: %s\n' % (self.arguments.command[0], error)).encode())
            os._exit(127)
        self.write_pid_file()
        self.say('started as %d (start %d, %d descriptors stored)' % (self.pid, self.starts, len(names) - 1))

    def write_pid_file(self):
        temporary = self.arguments.pid_file + '.new'
        with open(temporary, 'w') as file:
            file.write('%d\n' % self.pid)
        os.rename(temporary, self.arguments.pid_file)

    def reap(self):
        """None while it runs, else how it ended: an exit status, or minus the signal."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        self.set_ready(False)
        code = os.waitstatus_to_exitcode(status)
        self.say('%d ended with %d' % (self.pid, code))
        self.pid = 0
        return code

    # --- what it tells ---

    def set_ready(self, ready):
        path = self.arguments.ready_file
        if path and ready:
            with open(path, 'w') as file:
                file.write('%d\n' % self.pid)
        elif path and os.path.exists(path):
            os.unlink(path)

    def read_notifications(self):
        while True:
            try:
                data, ancillary, _, _ = self.notify.recvmsg(MESSAGE_MAX, 4096, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            fds = array.array('i')
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
            self.take_notification(data.decode(errors='replace'), list(fds))

    def take_notification(self, text, fds):
        fields = dict(line.split('=', 1) for line in text.splitlines() if '=' in line)
        name = fields.get('FDNAME', 'stored')
        if fields.get('FDSTORE') == '1':
            for fd in fds:
                self.store.put(name, fd)
            fds = []
        if fields.get('FDSTOREREMOVE') == '1':
            self.store.remove(name)
        if fields.get('READY') == '1':
            self.set_ready(True)
        if fields.get('WATCHDOG') == '1':
            self.last_sign_of_life = time.monotonic()
        for fd in fds:
            os.close(fd)

    # --- signals and the loop ---

    def on_signal(self, number, _frame):
        if number == signal.SIGHUP and self.pid:
            os.kill(self.pid, signal.SIGHUP)
        elif number in (signal.SIGTERM, signal.SIGINT):
            self.stopping = True

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self.pid and self.reap() is None:
            self.read_notifications()
            if time.monotonic() > deadline:
                self.say('%d did not stop, killing it' % self.pid)
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)

    def check_watchdog(self):
        limit = self.arguments.watchdog
        if limit > 0 and time.monotonic() - self.last_sign_of_life > limit:
            self.say('%d has been silent for too long, killing it' % self.pid)
            os.kill(self.pid, signal.SIGKILL)
            self.last_sign_of_life = time.monotonic()

    def run(self):
        wakeup_read, wakeup_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self.on_signal)
        self.start()
        while not self.stopping:
            select.select([self.notify, wakeup_read], [], [], 1)
            try:
                os.read(wakeup_read, 4096)
            except BlockingIOError:
                pass
            self.read_notifications()
            self.check_watchdog()
            code = self.reap()
            if code in FINAL_STATUSES and not self.stopping:
                return code
            if code is not None and not self.stopping:
                time.sleep(RESTART_PAUSE_S)
                # What it stored in its last moment belongs to the next one, as with systemd, which reads before it reaps.
                self.read_notifications()
                self.set_ready(False)
                self.start()
        self.stop()
        return 0

    def clean(self):
        for path in (self.arguments.socket, self.arguments.notify, self.arguments.pid_file):
            if os.path.exists(path):
                os.unlink(path)
        self.set_ready(False)


def main():
    supervisor = Supervisor(parse_arguments())
    try:
        return supervisor.run()
    finally:
        supervisor.clean()


if __name__ == '__main__':
    sys.exit(main())
