#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service costs while nothing is asked of it, with models in memory, too."""
import os
import time

import woolly_tap
from real_service import TINY, RealCase

RESIDENT_KB = 10000
QUIET_SECONDS = 5


def switches(pid):
    """How often each thread of a process has run."""
    counts = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/status') as file:
            counts[thread] = sum(int(line.split()[1]) for line in file if 'ctxt_switches' in line)
    return counts


class Idle(RealCase):

    def assertQuiet(self, pids):
        if self.sanitized():
            self.skipTest('the thread of a sanitizer wakes up')
        self.app.close()
        time.sleep(2)  # what ends after the last call ends
        before = {pid: switches(pid) for pid in pids}
        time.sleep(QUIET_SECONDS)
        for pid in pids:
            after = switches(pid)
            # threads of pools may end meanwhile; none that stays may run
            self.assertEqual({key: before[pid].get(key) for key in after}, after, pid)

    def test_loaded_model(self):
        """A session is open, a stream has ended, the weights are in memory: neither process wakes up."""
        session = self.open_session(TINY)
        _path, stream = self.app.generate(None, 'Once', session)
        stream.all()
        stays = self.client()  # not in the main loop: it needs nothing
        stays.manager('OpenSession', '(sa{sv})', (TINY, {}))
        self.assertQuiet([self.daemon.pid, *self.workers()])
        self.until(lambda: len(self.workers()) == 1)

    def test_memory(self):
        """Without a model: before the first one, with the plugins known, and when the last one has left."""
        if self.sanitized():
            self.skipTest('a sanitizer needs more')

        def resident_kb():
            with open(f'/proc/{self.daemon.pid}/smaps_rollup') as file:
                return next(int(line.split()[1]) for line in file if line.startswith('Rss:'))
        sizes = [resident_kb()]
        self.app.manager('ListPlugins')
        sizes.append(resident_kb())
        self.works()
        self.app.admin('Unload', '(ob)', (self.path(TINY), True))
        self.until(lambda: not self.workers())
        sizes.append(resident_kb())
        print(f'# woollyd: {sizes} kB')
        self.assertLess(max(sizes), RESIDENT_KB)


if __name__ == '__main__':
    woolly_tap.main()
