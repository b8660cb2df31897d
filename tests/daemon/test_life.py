#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the service begins and ends, and what it costs while nothing happens."""
import os
import signal
import socket
import subprocess
import threading
import time

from gi.repository import GLib

import woolly_tap
from woolly_daemon import DAEMON, NAME, ROOT, DaemonCase, Failed, path_of


class Life(DaemonCase):
    started = False

    def test_activation(self):
        self.model('m')
        client = self.client()
        self.assertIsNone(self.owner(client))
        self.assertEqual(client.get(ROOT, 'Manager', 'Version').count('.'), 2)
        self.assertEqual(list(client.models()), ['m'])
        client.admin('Quit')
        self.until(lambda: not self.owner(client))
        self.assertEqual(list(client.models()), ['m'])  # the next call starts it again
        client.admin('Quit')
        self.until(lambda: not self.owner(client))

    def test_second_instance(self):
        first = self.start()
        client = self.client()
        second = self.start()
        self.assertEqual(second.wait(10), 0)
        self.assertIsNone(first.poll())
        owner = self.owner(client)
        third = self.start('--replace')
        self.assertEqual(first.wait(20), 0)
        self.until(lambda: self.owner(client) not in (None, owner))
        self.assertIsNone(third.poll())
        self.assertEqual(client.models(), {})

    def test_options(self):
        run = subprocess.run([DAEMON, '--version'], capture_output=True, text=True, env=self.env)
        self.assertRegex(run.stdout, r'^woollyd \d+\.\d+\.\d+\n$')
        self.assertEqual(run.returncode, 0)
        self.assertEqual(subprocess.run([DAEMON, '--nonsense'], capture_output=True, env=self.env).returncode, 1)
        no_bus = {**self.env, 'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent', 'G_DEBUG': ''}
        run = subprocess.run([DAEMON], capture_output=True, text=True, env=no_bus)
        self.assertEqual(run.returncode, 1)
        self.assertIn('no session bus', run.stderr)

    def test_settings(self):
        self.write_config('[memory]\nbudget=12345678\n[nonsense]\nx=1\n[limits]\nobjects=0\n')
        self.start()
        settings = self.client().admin('GetSettings')
        self.assertEqual(settings['memory.budget'], 12345678)
        self.assertEqual(settings['limits.objects'], 1024)
        self.assertIn('woollyd.conf: unknown key “x” in group [nonsense]', self.log())
        self.assertIn('“0” is no value for “objects”', self.log())

    def test_terminate_while_generating(self):
        """What runs is finished, or ends after ten seconds; the worker is gone in any case."""
        self.model('m')
        daemon = self.start()
        client = self.client()
        _path, stream = client.generate('m', 'wait')
        stream.until('text')
        path, second = client.generate('m', 'wait')
        second.until('text')
        workers = self.workers()
        daemon.terminate()
        self.until(lambda: not self.owner(client))
        client.connection.call_sync(client.connection.get_unique_name(), '/', 'org.freedesktop.DBus.Peer', 'Ping', None,
                                    None, 0, 5000, None)
        self.assertIsNone(daemon.poll())
        daemon.terminate()  # again: at once
        self.assertEqual(daemon.wait(5), 0)
        self.until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in workers))
        stream.all()

    def test_bus_lost(self):
        self.model('m')
        daemon = self.start()
        client = self.client()
        client.text('m', 'say x')
        self.until(lambda: len(self.workers()) == 1)  # a probe ends by itself
        workers = self.workers()
        client.close()
        self.bus.kill()
        self.assertEqual(daemon.wait(5), 0)
        self.until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in workers))

    def test_notify(self):
        path = os.path.join(self.home, 'notify')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(path)
            sock.settimeout(10)
            self.env.update({'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '400000'})
            daemon = self.start()
            heard = [sock.recv(1000).decode() for _ in range(3)]
            if not heard[0].startswith('READY=1'):
                self.fail(heard)
            self.assertEqual(heard[1:], ['WATCHDOG=1', 'WATCHDOG=1'])
            daemon.terminate()
            while not heard[-1].startswith('STOPPING=1'):
                heard.append(sock.recv(1000).decode())

    def test_idle_exit(self):
        self.write_config('[service]\nidle-exit=1\n[models]\nidle-timeout=1\n')
        self.model('m')
        daemon = self.start()
        client = self.client()
        self.state(client, 'm', 'available')
        session = client.manager('OpenSession', '(sa{sv})', ('m', {}))
        time.sleep(2.5)
        self.assertIsNone(daemon.poll())  # a session is open
        client.call(session, 'Session.Close')
        client.text('m', 'say x')
        self.until(lambda: not self.workers())
        self.assertEqual(daemon.wait(20), 0)

    def test_idle_exit_loses_no_call(self):
        """Calls that come while it is about to leave are answered, by it or by the next instance."""
        self.write_config('[service]\nidle-exit=1\n')
        clients = [self.client() for _ in range(4)]
        failures = []

        def call(client, number):
            for i in range(6):
                time.sleep(0.99 + 0.005 * ((number * 7 + i * 3) % 8))
                try:
                    client.get(ROOT, 'Manager', 'Version')
                except (Failed, GLib.Error) as error:
                    failures.append(error)
        threads = [threading.Thread(target=call, args=(client, i)) for i, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.until(lambda: not self.owner(clients[0]))


class Idle(DaemonCase):

    @staticmethod
    def switches(pid):
        """How often each thread has run."""
        counts = {}
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/status') as file:
                counts[thread] = sum(int(line.split()[1]) for line in file if 'ctxt_switches' in line)
        return counts

    def test_no_wake_ups(self):
        self.model('m')
        client = self.client()
        self.state(client, 'm', 'available')
        client.close()
        time.sleep(2)
        before = self.switches(self.daemon.pid)
        time.sleep(5)
        after = self.switches(self.daemon.pid)
        # threads of pools may end meanwhile; none that stays may run
        self.assertEqual({key: before.get(key) for key in after}, after)

    def test_memory(self):
        if self.sanitized():
            self.skipTest('a sanitizer needs more')
        client = self.client()
        client.models()
        with open(f'/proc/{self.daemon.pid}/smaps_rollup') as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith('Rss:'))
        self.assertLess(resident, 10000)

    def test_no_leaks(self):
        """Descriptors, processes: as many after a hundred requests as after three."""
        self.model('m')
        self.state(self.client(), 'm', 'available')

        def work(n):
            for i in range(n):
                client = self.client()
                client.text('m', 'say x')
                session = client.manager('OpenSession', '(sa{sv})', ('m', {}))
                path, stream = client.generate(None, 'wait' if i % 2 else 'say x', session)
                if i % 3:
                    stream.until('text')
                if i % 2:
                    stream.close()
                client.close()

        def open_files():
            client = self.client()
            self.until(lambda: client.call(path_of('m'), 'Model.ListUsers') == [])
            client.close()
            return len(os.listdir(f'/proc/{self.daemon.pid}/fd'))
        work(3)
        self.until(lambda: open_files() == open_files())
        before = open_files()
        work(100)
        self.until(lambda: open_files() <= before)
        self.until(lambda: len(self.workers()) == 1)


if __name__ == '__main__':
    woolly_tap.main()
