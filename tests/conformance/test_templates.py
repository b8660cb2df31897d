#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The template interpreter against what Jinja2 renders: stored cases, reference cases of real templates where they lie
beside the tree, and, where Jinja2 is there, others that were never seen."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import woolly_tap

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, 'generators'))
import template_cases  # noqa: E402

SHARED = os.environ.get('WOOLLY_SHARED', os.path.join(os.path.dirname(os.path.dirname(TESTS)), 'shared'))


def render(cases):
    """What wly-render-cases makes of each case: a text, or None where it refuses."""
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump([{'template': case['template'], 'input': case['input']} for case in cases], file)
        file.flush()
        run = subprocess.run([os.environ['WOOLLY_RENDER_CASES'], file.name], capture_output=True, check=True)
    lines = [json.loads(line) for line in run.stdout.decode().splitlines()]
    return [None if isinstance(line, dict) else line for line in lines], lines


class Templates(unittest.TestCase):
    def compare(self, cases, at_least):
        outputs, lines = render(cases)
        self.assertEqual(len(outputs), len(cases))
        self.assertGreaterEqual(len(cases), at_least)
        wrong = [f'{case["template"]!r:.400}\n  expected {case["output"]!r:.400}\n  got {line!r:.400}'
                 for case, output, line in zip(cases, outputs, lines) if output != case['output']]
        self.assertEqual(wrong, [], f'{len(wrong)} of {len(cases)} differ:\n' + '\n'.join(wrong[:10]))

    def test_stored(self):
        with open(os.path.join(TESTS, 'data', 'templates', 'generated.json'), encoding='utf-8') as file:
            cases = json.load(file)
        self.assertTrue(any(case['output'] is None for case in cases))
        self.compare([dict(case, input=template_cases.INPUT) for case in cases], 300)

    def test_reference(self):
        folder = os.path.join(SHARED, 'data', 'chat-templates')
        if not os.path.exists(os.path.join(folder, 'cases.json')):
            self.skipTest('there are no reference cases beside the source tree')
        cases = []
        with open(os.path.join(folder, 'cases.json'), encoding='utf-8') as file:
            for case in json.load(file):
                with open(os.path.join(folder, case['template']), encoding='utf-8') as source:
                    cases.append({'template': source.read(), 'input': case['input'], 'output': case.get('output')})
        self.compare(cases, 1)

    def test_live(self):
        try:
            import jinja2  # noqa: F401
        except ImportError:
            self.skipTest('there is no Jinja2 to compare with (python3-jinja2)')
        self.compare(template_cases.make(7, 300), 300)


if __name__ == '__main__':
    woolly_tap.main()
