#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that are no plugins, that die or never come back; and a backend that dies while it computes."""
import os
import re

import woolly_tap
from real_service import PLUGINS, TINY, RealCase, greedy

FAKE = os.environ['WOOLLY_TEST_PLUGINS']
BROKEN = os.environ['WOOLLY_TEST_BROKEN_PLUGINS']
# What the reason says, by the file.
REASONS = {
    'abort-in-enum': 'signal', 'abort-in-open': 'signal', 'incomplete': '', 'name-mismatch': 'name', 'no-note': '', 'no-symbol': '',
    'sleep-in-open': '', 'wrong-abi': 'ABI|version',
}


class Broken(RealCase):
    environment = {'WOOLLY_PLUGIN_PATH': ':'.join([BROKEN, PLUGINS])}

    def test_are_refused(self):
        with open(os.path.join(self.plugins, 'noise.so'), 'wb') as file:
            file.write(bytes(range(256)) * 64)
        rows = {row['name']: row for row in self.app.manager('ListPlugins', timeout=60000)}
        for name, reason in REASONS.items():
            row = rows.pop(name)
            self.assertEqual(row['state'], 'refused', row)
            self.assertTrue(row['reason'])
            self.assertRegex(row['reason'], re.compile(reason))
            self.assertEqual(row['file'], os.path.join(BROKEN, name + '.so'))
        self.assertLessEqual({'llama', 'cpu'}, set(rows))
        for row in rows.values():
            self.assertEqual(row['state'], 'usable', row)
        self.assertIn('cpu', [row['id'] for row in self.app.manager('ListDevices')])
        self.works()
        self.until(lambda: len(self.workers()) == 1)  # and none of the probes

    def test_do_not_keep_a_model_waiting(self):
        """The first request comes while they are looked at."""
        text, result = self.app.text(TINY, 'Once upon a time', **greedy(4))
        self.assertEqual((result['device'], result['tokens-out']), ('cpu', 4))
        self.assertTrue(text)


class Faulty(RealCase):
    """On the backend that fails as it is told to."""
    config = '[compute]\ndevice=fake\n'
    faults = ''

    def setUp(self):
        self.environment = {'WOOLLY_PLUGIN_PATH': ':'.join([FAKE, PLUGINS]), 'WOOLLY_FAKE': self.faults}
        super().setUp()

    def use_cpu(self):
        """The other device is whole."""
        self.write_config('')
        self.app.admin('Reload')


class Whole(Faulty):

    def test_works(self):
        text, result = self.app.text(TINY, 'Once upon a time', **greedy(8))
        self.assertEqual((result['device'], result['tokens-out']), ('fake', 8))
        self.assertTrue(text)


class Crash(Faulty):
    faults = 'crash:12'

    def test_quarantine(self):
        for _ in range(3):
            path, stream = self.app.generate(TINY, 'Once', **greedy(100))
            frames = stream.all()
            self.assertTrue(any(kind == 'text' for kind, _ in frames))
            self.assertNotIn(frames[-1][0], ('end', 'error'))
            state, result = self.result(path)
            self.assertEqual((state, result['error']), ('failed', 'org.woolly.Error.WorkerLost'))
        self.state(self.app, TINY, 'quarantined')
        self.assertFails('ModelQuarantined', self.app.text, TINY, 'Once')
        self.assertEqual(self.app.text('medium', 'Once', **greedy(1))[1]['tokens-out'], 1)
        self.use_cpu()
        self.assertFails('ModelQuarantined', self.app.text, TINY, 'Once')
        self.app.admin('ClearQuarantine', '(o)', (self.path(TINY),))
        self.works()
        self.until(lambda: len(self.workers()) <= 2)


class Lost(Faulty):
    """The backend says itself that its device is gone."""
    faults = 'lost:12'

    def test_session_goes_on(self):
        session = self.open_session(TINY)
        path, stream = self.app.generate(None, 'Once', session, **greedy(100))
        stream.all()
        state, result = self.result(path)
        self.assertEqual(state, 'failed')
        self.assertTrue(result['error'].startswith('org.woolly.Error.'))
        past = self.tokens(session)
        self.assertGreater(len(past), 4)
        self.use_cpu()
        self.app.admin('Unload', '(ob)', (self.path(TINY), True))
        _path, stream = self.app.generate(None, ' upon', session, **greedy(10))
        self.assertEqual(stream.all()[-1], ('end', {'reason': 'length'}))
        self.assertEqual(self.tokens(session)[:len(past)], past)


class Nan(Faulty):
    faults = 'nan:12'

    def test_is_told(self):
        path, stream = self.app.generate(TINY, 'Once', **greedy(100))
        self.assertEqual(stream.all()[-1][0], 'error')
        self.assertEqual(self.result(path)[1]['error'], 'org.woolly.Error.NumericFault')
        self.until(lambda: len(self.workers()) == 1)


if __name__ == '__main__':
    woolly_tap.main()
