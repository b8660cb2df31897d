#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service that sysprof records: what its workers do, sealed as ever, is on the timeline."""
import os
import unittest

import sysprof_recorder
import woolly_tap
from real_service import TINY, RealCase, greedy


@unittest.skipUnless(os.environ['WOOLLY_TEST_SYSPROF'], 'built without sysprof')
class Trace(RealCase):

    def setUp(self):
        self.recorder = sysprof_recorder.Recorder()
        self.addCleanup(self.recorder.close)
        self.addCleanup(self.recorder.stop)
        self.environment = self.recorder.environment
        self.fds = self.recorder.fds
        super().setUp()

    def test_generation(self):
        _text, result = self.app.text(TINY, 'Once upon a time there was a red ball.', **greedy(6))
        marks = self.recorder.marks()
        self.assertEqual({mark.pid for mark in marks}, set(self.workers()))
        ours = [mark for mark in marks if mark.group == 'Woolly']
        self.assertEqual([mark.name for mark in ours], ['load', 'prefill', 'sample'] + ['decode', 'sample'] * 5)
        self.assertEqual(ours[1].message, f'tokens {result["tokens-in"]}, sequences 1')
        for mark, following in zip(ours, ours[1:]):
            self.assertLessEqual(mark.begin, mark.end)
            self.assertLessEqual(mark.end, following.begin)
        self.assertIn('linear Q8_0', {mark.name for mark in marks if mark.group == 'Woolly backend'})

    def test_nothing_of_a_text(self):
        """Whoever sees the timeline sees no word of a prompt or an answer."""
        text, _result = self.app.text(TINY, 'Xylophones zigzagged quietly.', **greedy(12))
        told = ' '.join(f'{mark.name} {mark.message}' for mark in self.recorder.marks()).lower()
        for word in ('xylophones', 'zigzagged', *(word for word in text.lower().split() if len(word) > 4)):
            self.assertNotIn(word, told)


class Variable(RealCase):
    """What a session of the user left behind names no descriptor that woollyd inherited."""
    environment = {'SYSPROF_CONTROL_FD': '5'}

    def test_workers_do_not_see_it(self):
        self.works()
        for pid in self.workers():
            with open(f'/proc/{pid}/environ', 'rb') as file:
                self.assertNotIn(b'SYSPROF_CONTROL_FD', file.read())


if __name__ == '__main__':
    woolly_tap.main()
