#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/summary.py counts right: what CI believes hangs on it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import contract
import woolly_tap


def entry(name, result, stdout='', status=0):
    return {'name': f'woolly:unit / {name}', 'stdout': stdout, 'result': result, 'returncode': status, 'stderr': 'oh'}


class Summary(unittest.TestCase):

    def run_summary(self, entries, status=0):
        """(exit status, last line, all lines)"""
        with tempfile.TemporaryDirectory() as build:
            for folder in ('meson-info', 'meson-logs'):
                os.mkdir(os.path.join(build, folder))
            protocols = [{'name': test['name'].split(' / ')[1],
                          'protocol': 'exitcode' if 'plain' in test['name'] else 'tap'} for test in entries]
            with open(f'{build}/meson-info/intro-tests.json', 'w', encoding='utf-8') as file:
                json.dump(protocols, file)
            with open(f'{build}/meson-logs/testlog-default.json', 'w', encoding='utf-8') as file:
                file.write('\n'.join(json.dumps(test) for test in entries))
            run = subprocess.run([sys.executable, f'{contract.ROOT}/tests/summary.py', build, '--status', str(status)],
                                 capture_output=True, text=True, check=False)
            lines = run.stdout.rstrip('\n').split('\n')
            return run.returncode, lines[-1], run.stdout

    def test_cases_are_counted(self):
        status, last, text = self.run_summary([
            entry('a', 'OK', 'TAP version 13\nok 1 /x/y\nok 2 /x/z # SKIP no data\n1..2\n'),
            entry('plain', 'OK')])
        self.assertEqual((status, last), (0, '2 passed, 0 failed, 1 skipped'))
        self.assertIn('a /x/z: no data', text)

    def test_failed_case(self):
        status, last, text = self.run_summary([entry('a', 'FAIL', 'ok 1 /x\nnot ok 2 /y\n1..2\n', 1)], status=1)
        self.assertEqual((status, last), (1, '1 passed, 1 failed, 0 skipped'))
        self.assertIn('failed: /y', text)

    def test_bad_end_without_a_failed_case(self):
        status, last, _ = self.run_summary([entry('a', 'ERROR', 'ok 1 /x\n', -11)], status=1)
        self.assertEqual((status, last), (1, '1 passed, 1 failed, 0 skipped'))

    def test_time_out_of_a_plain_program(self):
        status, last, _ = self.run_summary([entry('plain', 'TIMEOUT', '', -15)], status=1)
        self.assertEqual((status, last), (1, '0 passed, 1 failed, 0 skipped'))

    def test_skipped_programs(self):
        status, last, _ = self.run_summary([entry('a', 'SKIP', '1..0 # SKIP nothing here\n'), entry('plain', 'SKIP'),
                                            entry('b', 'OK', 'ok 1 /x\n1..1\n')])
        self.assertEqual((status, last), (0, '1 passed, 0 failed, 2 skipped'))

    def test_nothing_passed_is_a_failure(self):
        self.assertEqual(self.run_summary([entry('a', 'SKIP', '1..0\n')])[0], 1)

    def test_meson_failed_for_its_own_reasons(self):
        status, last, _ = self.run_summary([entry('a', 'OK', 'ok 1 /x\n1..1\n')], status=2)
        self.assertEqual((status, last), (1, '1 passed, 1 failed, 0 skipped'))


if __name__ == '__main__':
    woolly_tap.main()
