#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums up a run of `meson test`: failures with their output, what was skipped and why, and the count of all cases.

The last line is `N passed, N failed, N skipped`. Every case of a TAP program counts; a program that ends badly without
a failed case counts as one more failure. The exit status is 0 only where nothing failed and something passed.
"""
import argparse
import json
import os
import re
import sys

TAP_LINE = re.compile(r'^(not )?ok\b\s*\d*\s*-?\s*(.*)$')
DIRECTIVE = re.compile(r'#\s*(skip|todo)\S*\s*(.*)$', re.IGNORECASE)
GOOD = ('OK', 'EXPECTEDFAIL')
FAILURE_LINES = 80


def read_protocols(build):
    with open(os.path.join(build, 'meson-info', 'intro-tests.json'), encoding='utf-8') as file:
        return {test['name']: test['protocol'] for test in json.load(file)}


def split_name(full):
    """`woolly:unit / name` as the log has it, without project and suites."""
    return full.rsplit(' / ', 1)[-1]


def tap_cases(text):
    """(result, name, reason) of each case."""
    for line in (text or '').splitlines():
        match = TAP_LINE.match(line)
        if match is None:
            continue
        bad, name = match.groups()
        directive = DIRECTIVE.search(name)
        result, reason = ('failed' if bad else 'passed'), ''
        if directive is not None and directive.group(1).lower() == 'skip':
            result, reason = 'skipped', directive.group(2)
            name = name[:directive.start()].rstrip()
        yield result, name, reason


def cases_of(test, protocol):
    """All cases of one entry of the log."""
    good = test['result'] in GOOD or test['result'] == 'SKIP'
    if protocol != 'tap':
        result = 'skipped' if test['result'] == 'SKIP' else 'passed' if good else 'failed'
        return [(result, '', (test.get('stdout') or '').strip().rsplit('\n', 1)[-1] if result == 'skipped' else '')]
    cases = list(tap_cases(test.get('stdout')))
    if not good and not any(result == 'failed' for result, _, _ in cases):
        cases.append(('failed', f'(the program: {test["result"].lower()}, status {test["returncode"]})', ''))
    if good and not cases:
        reason = re.search(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', test.get('stdout') or '', re.IGNORECASE | re.MULTILINE)
        cases.append(('skipped', '', reason.group(1) if reason else 'no case in it'))
    return cases


def print_failure(name, test, cases):
    print(f'\n--- {name}: {test["result"]}, status {test["returncode"]}')
    for result, case, _ in cases:
        if result == 'failed':
            print(f'    failed: {case or name}')
    output = ((test.get('stdout') or '') + '\n' + (test.get('stderr') or '')).strip().splitlines()
    lines = [line for line in output if not line.startswith('ok ')]
    if len(lines) > FAILURE_LINES:
        print(f'    … {len(lines) - FAILURE_LINES} lines before; all of it is in the log')
    for line in lines[-FAILURE_LINES:]:
        print(f'    {line}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('build')
    parser.add_argument('--setup', default='default')
    parser.add_argument('--status', type=int, default=0, help='exit status of meson test')
    arguments = parser.parse_args()

    protocols = read_protocols(arguments.build)
    log = os.path.join(arguments.build, 'meson-logs', f'testlog-{arguments.setup}.json')
    with open(log, encoding='utf-8', errors='replace') as file:
        tests = [json.loads(line) for line in file if line.strip()]

    total = {'passed': 0, 'failed': 0, 'skipped': 0}
    skipped = []
    for test in tests:
        name = split_name(test['name'])
        cases = cases_of(test, protocols.get(name, 'exitcode'))
        for result, case, reason in cases:
            total[result] += 1
            if result == 'skipped':
                skipped.append(f'{name} {case}: {reason}' if case else f'{name}: {reason}')
        if any(result == 'failed' for result, _, _ in cases):
            print_failure(name, test, cases)

    if skipped:
        print('\nSkipped:')
        for line in skipped:
            print(f'    {line}')
    if arguments.status != 0 and total['failed'] == 0:
        print(f'\nmeson test failed with status {arguments.status}; see {arguments.build}/test.log')
        total['failed'] += 1
    print(f'\n{len(tests)} programs, log: {log[:-5]}.txt')
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**total))
    sys.exit(0 if total['failed'] == 0 and total['passed'] > 0 else 1)


if __name__ == '__main__':
    main()
