#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""woolly-bench speed, kld: what they print adds up. How fast it is plays no part."""
import csv
import io
import itertools
import json
import os
import struct
import subprocess
import tempfile
import unittest

import gguf_file
import sysprof_recorder
import woolly_tap

BENCH = os.environ['WOOLLY_BENCH']
BUNDLED = os.environ['WOOLLY_BUNDLED_MODEL']
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MANUAL = os.path.join(ROOT, 'docs', 'man', 'woolly-bench.1.scd.in')
STORY = ('Once upon a time there was a little girl who had a red ball. She played with it in the garden every day. '
         'One day the ball rolled under a big bush, and a small dog came to help her. They were happy.\n') * 12


def run(*arguments, **more):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, check=False, timeout=240, **more)


class Bench(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(content)
        return path

    def output(self, *arguments):
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.output(*arguments, '--json'))

    def csv(self, *arguments):
        """Rows, each of which has all columns."""
        text = self.output(*arguments, '--csv')
        head, *rows = csv.reader(io.StringIO(text))
        self.assertEqual({len(row) for row in rows}, {len(head)})
        self.assertEqual(len(set(head)), len(head))
        return [dict(zip(head, row)) for row in rows]

    def assert_refused(self, status, words, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, (arguments, done.stdout))
        self.assertEqual(done.stdout, '')
        self.assertIn(words, done.stderr)


class Speed(Bench):

    def speed(self, *arguments):
        return self.json('speed', '-m', BUNDLED, '-r', '2', '-t', '1', '--no-limits', *arguments)

    def test_each_test_of_the_lists(self):
        found = self.speed('--prefill', '5,33', '--decode', '3', '--depth', '0,70', '--batch', '1,3', '-t', '2')
        expected = list(itertools.product((('prefill', 5), ('prefill', 33), ('decode', 3)), (0, 70), (1, 3)))
        seen = [((row['kind'], row['n']), row['depth'], row['batch']) for row in found['results']]
        self.assertEqual(sorted(seen), sorted(expected))
        for row in found['results']:
            self.assertEqual(len(row['samples']), 2)
            self.assertLessEqual(row['min'], row['tokens_per_second'])
            self.assertLessEqual(row['tokens_per_second'], row['max'])
            self.assertGreater(row['min'], 0)
            self.assertGreater(row['step_ms'], 0)
            self.assertGreater(row['bytes_per_second'], 0)
        self.assertEqual(found['settings']['threads'], 2)
        self.assertEqual(found['settings']['kv'], 'f16')
        self.assertEqual(found['settings']['activations'], 'int8')
        self.assertEqual(found['model']['quantization'], 'Q8_0')
        self.assertEqual(found['model']['bytes'], os.path.getsize(BUNDLED))
        self.assertGreater(found['memory']['peak_bytes'], found['memory']['cache_bytes'])
        self.assertGreater(found['memory']['cache_bytes'], 0)

    def test_work_is_counted(self):
        """A token goes once through each matrix; of a prompt only the last one through the output matrix."""
        _, tensors = gguf_file.read(BUNDLED)
        matrices = {name: tensor.ne[0] * tensor.ne[1] for name, tensor in tensors.items()
                    if len(tensor.ne) == 2 and name.startswith('blk.')}
        head = tensors.get('output.weight', tensors['token_embd.weight'])
        head = head.ne[0] * head.ne[1]
        found = self.speed('--prefill', '20', '--decode', '4', '--batch', '1,2', '--profile')
        for row in found['results']:
            macs = sum(entry['macs'] for entry in row['profile'] if entry['operator'].startswith('linear'))
            most = 2 * row['n'] * row['batch'] * (sum(matrices.values()) + head)
            if row['kind'] == 'decode':
                self.assertEqual(macs, most, row)
            else:  # the last layer may be left out where nobody asks for its rows
                self.assertLess(macs, most)
                self.assertGreater(macs, most / 2)

    def test_bytes_are_counted(self):
        """A step reads each matrix once, whatever the number of sequences."""
        found = self.speed('--prefill', '0', '--decode', '4', '--batch', '1,4', '--profile')
        one, four = [sum(entry['bytes'] for entry in row['profile'] if entry['operator'].startswith('linear'))
                     for row in found['results']]
        self.assertEqual(one, four)
        self.assertGreater(one, 2 * 4 * os.path.getsize(BUNDLED) / 2)
        self.assertLess(one, 2 * 4 * os.path.getsize(BUNDLED))

    def test_attention_is_counted(self):
        """A query meets all positions up to its own, with each head; keys and values are read once for a batch."""
        keys, _ = gguf_file.read(BUNDLED)
        layers, heads, heads_kv, width = [
            struct.unpack('<I', keys['llama.' + name][1])[0] for name in ('block_count', 'attention.head_count', 'attention.head_count_kv',
                                                  'embedding_length')]
        found = self.speed('--prefill', '0', '--decode', '3', '--depth', '0,100', '--batch', '2', '--profile')
        for row in found['results']:
            entry, = [entry for entry in row['profile'] if entry['operator'] == 'attention']
            seen = 2 * 2 * sum(row['depth'] + i + 1 for i in range(3))  # repetitions, sequences
            self.assertEqual(entry['macs'], layers * seen * 2 * width)
            self.assertEqual(entry['bytes'], layers * seen * 2 * 2 * width * heads_kv // heads)

    def test_shares_of_the_limits(self):
        found = self.json('speed', '-m', BUNDLED, '-r', '1', '--prefill', '64', '--decode', '2', '-t', '2', '--profile')
        limits = found['limits']
        self.assertEqual(limits['threads'], 2)
        for row in found['results'] + found['results'][0]['profile']:
            self.assertAlmostEqual(row['macs_share'], row['macs_per_second'] / limits['macs_per_second'])
            self.assertAlmostEqual(row['bytes_share'], row['bytes_per_second'] / limits['bytes_per_second'])
            self.assertAlmostEqual(row['macs_per_cycle'], row['macs_per_second'] / limits['hz'] / 2)

    def test_first_token(self):
        found = self.speed('--prefill', '0', '--decode', '1', '--first-token', '4,40')
        self.assertEqual([first['prompt'] for first in found['first_token']], [1, 4, 40])
        for first in found['first_token']:
            self.assertGreater(first['load_seconds'], 0)
            self.assertGreater(first['seconds'], first['load_seconds'])

    def test_settings(self):
        found = self.speed('--prefill', '4', '--decode', '0', '--kv', 'q8_0', '--activations', 'f32', '--chunk', '3')
        self.assertEqual(len(found['results']), 1)
        self.assertEqual(found['settings']['kv'], 'q8_0')
        self.assertEqual(found['settings']['activations'], 'f32')
        self.assertEqual(found['settings']['chunk'], 3)
        self.assertEqual(found['settings']['threads'], 1)

    def test_csv(self):
        rows = self.csv('speed', '-m', BUNDLED, '-r', '1', '--prefill', '4,9', '--decode', '2', '--first-token', '7',
                        '--no-limits')
        self.assertEqual([(row['row'], row['kind'], row['n']) for row in rows], [
            ('result', 'prefill', '4'), ('result', 'prefill', '9'), ('result', 'decode', '2'),
            ('first_token', 'prefill', '1'), ('first_token', 'prefill', '7')])
        for row in rows[:3]:
            self.assertGreater(float(row['tokens_per_second']), 0)
            self.assertEqual(float(row['min']), float(row['max']))
            self.assertGreater(float(row['bytes_per_second']), 0)
            self.assertEqual((row['macs_share'], row['peer'], row['ratio'], row['seconds']), ('', '', '', ''))
        for row in rows[3:]:
            self.assertGreater(float(row['seconds']), float(row['load_seconds']))
            self.assertEqual((row['depth'], row['batch'], row['tokens_per_second']), ('0', '1', ''))

        with open(MANUAL, encoding='utf-8') as file:
            page = file.read()
        for column in rows[0]:
            self.assertIn(f'_{column}_', page)

    def test_text(self):
        text = self.output('speed', '-m', BUNDLED, '-r', '1', '--prefill', '4', '--decode', '2', '--profile')
        for word in ('Q8_0', 'prefill', 'decode', 'tokens/s', 'first token', 'peak', 'linear Q8_0', 'attention'):
            self.assertIn(word, text)

    def test_refused(self):
        self.assert_refused(2, '-m FILE', 'speed')
        self.assert_refused(2, '--prefill', 'speed', '-m', BUNDLED, '--prefill', '8,x')
        self.assert_refused(2, '--prefill', 'speed', '-m', BUNDLED, '--prefill', '')
        self.assert_refused(2, '--batch', 'speed', '-m', BUNDLED, '--batch', '0')
        self.assert_refused(2, '--depth', 'speed', '-m', BUNDLED, '--depth', '-1')
        self.assert_refused(2, '--kv', 'speed', '-m', BUNDLED, '--kv', 'q4_0')
        self.assert_refused(2, 'whole numbers', 'speed', '-m', BUNDLED, '-r', '0')
        self.assert_refused(2, 'whole numbers', 'speed', '-m', BUNDLED, '--json', '--csv')
        self.assert_refused(1, 'nowhere.gguf', 'speed', '-m', self.path('nowhere.gguf'))
        self.assert_refused(1, 'nonsense', 'speed', '-m', BUNDLED, '--device', 'nonsense')
        self.assert_refused(1, 'nonsense', 'speed', '-m', BUNDLED, '--isa', 'nonsense')
        self.assert_refused(1, 'pack', 'speed', '-m', BUNDLED, '--pack', 'nonsense')

    def test_instruction_sets_that_are_not_there(self):
        os.environ['WOOLLY_CPU_MASK'] = 'none'
        self.addCleanup(os.environ.pop, 'WOOLLY_CPU_MASK')
        for isa in ('avx512vnni', 'avx512vl', 'avx512', 'avxvnni', 'avx2', 'i8mm', 'dotprod'):
            self.assert_refused(1, f'"{isa}" is unknown or not on this machine', 'speed', '-m', BUNDLED, '--isa', isa)


PEER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$PEER_LOG"
case "$0 $*" in
*--help*) echo "  -d, --n-depth <n>" ;;
*broken*) echo "this is why" >&2; exit 3 ;;
*silent*) echo "nothing of use" ;;
*batched*) case "$*" in *--on-stderr*) exec >&2 ;; esac; printf '|    PP |     TG |    B |\\n|%s|%s|%s|\\n| 1 | 2 | 4 | 12 | 0.1 | 10.0 | 0.1 | 0.25 | 0.2 | 20.0 |\\n' - - - ;;
*) echo '[{"n_prompt": 1, "avg_ts": 7.5}, {"n_prompt": 2, "avg_ts": 0.5}]' ;;
esac
"""


class Versus(Bench):
    """Beside programs that print what another engine's benchmark would."""

    def setUp(self):
        super().setUp()
        self.log = self.path('log')
        for name in ('llama-bench', 'llama-batched-bench', 'broken-bench', 'silent-bench'):
            os.chmod(self.path(name, PEER), 0o755)
        self.set('PATH', self.folder + ':' + os.environ['PATH'])
        self.set('PEER_LOG', self.log)

    def set(self, name, value):
        old = os.environ.get(name)
        os.environ[name] = value
        self.addCleanup(lambda: os.environ.pop(name) if old is None else os.environ.__setitem__(name, old))

    def versus(self, *arguments):
        return self.json('speed', '-m', BUNDLED, '-r', '1', '-t', '1', '--no-limits', *arguments)

    def calls(self):
        with open(self.log, encoding='utf-8') as file:
            return [line.split() for line in file if '--help' not in line]

    def test_ratios(self):
        found = self.versus('--prefill', '6', '--decode', '3', '--depth', '0,9', '--vs', '--pairs', '3')['versus']
        self.assertEqual([(row['kind'], row['n'], row['depth']) for row in found],
                         [('prefill', 6, 0), ('decode', 3, 0), ('prefill', 6, 9), ('decode', 3, 9)])
        for row in found:
            self.assertEqual(row['peer'], 'llama-bench')
            self.assertEqual(row['peer_samples'], [0.5, 0.5, 0.5])  # the last test of its list
            self.assertEqual(row['ratios'], [ours / 0.5 for ours in row['samples']])
            self.assertEqual(row['ratio'], sorted(row['ratios'])[1])
        calls = self.calls()
        self.assertEqual(len(calls), 4 * 3)
        common = ['llama-bench', '-m', BUNDLED, '-t', '1']
        self.assertEqual(calls[0], common + ['-p', '6', '-n', '0', '-r', '1', '-o', 'json'])
        self.assertEqual(calls[-1], common + ['-p', '0', '-n', '3', '-d', '9', '-r', '1', '-o', 'json'])

    def test_sequences_at_once(self):
        done = run('speed', '-m', BUNDLED, '-r', '1', '-t', '1', '--no-limits', '--prefill', '6', '--decode', '2',
                   '--batch', '4', '--vs', '--pairs', '2', '--json')
        self.assertEqual(done.returncode, 0)
        self.assertIn('has no prefill', done.stderr)
        row, = json.loads(done.stdout)['versus']
        self.assertEqual((row['kind'], row['batch'], row['peer_tokens_per_second']), ('decode', 4, 0.25))
        self.assertEqual(self.calls()[0][:11], ['llama-batched-bench', '-m', BUNDLED, '-t', '1', '-npp', '1', '-ntg', '2',
                                                '-npl', '4'])

    def test_table_among_messages(self):
        found = self.versus('--prefill', '0', '--decode', '2', '--batch', '4', '--peer', 'llama-bench --on-stderr', '--pairs', '2')
        self.assertEqual([row['peer_tokens_per_second'] for row in found['versus']], [0.25])

    def test_peers_with_options(self):
        found = self.versus('--prefill', '6', '--decode', '0', '--peer', 'llama-bench -fa 1', '--peer',
                            'llama-bench -rtr 1', '--pairs', '1')['versus']
        self.assertEqual([row['peer'] for row in found], ['llama-bench -fa 1', 'llama-bench -rtr 1'])
        self.assertEqual([call[-2:] for call in self.calls()], [['-fa', '1'], ['-rtr', '1']])

    def test_text(self):
        text = self.output('speed', '-m', BUNDLED, '-r', '1', '-t', '1', '--no-limits', '--prefill', '6', '--decode', '0',
                           '--vs', '--pairs', '2')
        self.assertIn('beside llama-bench, 2 pairs', text)
        self.assertIn('ratio', text)

    def test_csv(self):
        command = 'llama-bench -ot "exps=CPU,a=b" -fa 1'
        rows = self.csv('speed', '-m', BUNDLED, '-r', '1', '-t', '1', '--no-limits', '--prefill', '6', '--decode', '3',
                        '--depth', '9', '--peer', command, '--pairs', '3')
        self.assertEqual([row['row'] for row in rows], ['result', 'result', 'first_token', 'versus', 'versus'])
        self.assertEqual([(row['kind'], row['n'], row['depth'], row['batch']) for row in rows[3:]],
                         [('prefill', '6', '9', '1'), ('decode', '3', '9', '1')])
        for row in rows[3:]:
            self.assertEqual((row['peer'], row['pairs'], row['peer_tokens_per_second']), (command, '3', '0.5'))
            least, rate, most = (float(row[name]) for name in ('min', 'tokens_per_second', 'max'))
            for name, value in (('ratio_min', least), ('ratio', rate), ('ratio_max', most)):
                self.assertAlmostEqual(float(row[name]) * 0.5 / value, 1, 6)
            self.assertLessEqual(least, rate)
            self.assertLessEqual(rate, most)
            self.assertEqual((row['step_ms'], row['seconds']), ('', ''))

    def test_refused(self):
        speed = ('speed', '-m', BUNDLED, '-r', '1', '-t', '1', '--no-limits', '--prefill', '2', '--decode', '0')
        self.assert_refused(1, '“no-such-bench” on the PATH', *speed, '--peer', 'no-such-bench -x')
        self.assert_refused(1, 'this is why', *speed, '--peer', 'broken-bench')
        self.assert_refused(1, 'no figure', *speed, '--peer', 'silent-bench')
        self.assert_refused(1, 'no command', *speed, '--peer', '"unclosed')
        self.assert_refused(2, 'whole numbers', *speed, '--vs', '--pairs', '0')


@unittest.skipUnless(os.environ['WOOLLY_TEST_SYSPROF'], 'built without sysprof')
class Recorded(Bench):
    """What sysprof would have on its timeline."""

    def record(self, *arguments):
        """(marks, what the program printed)"""
        recorder = sysprof_recorder.Recorder()
        self.addCleanup(recorder.close)
        with recorder:
            done = run(*arguments, env={**os.environ, **recorder.environment}, pass_fds=recorder.fds)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return recorder.marks(), json.loads(done.stdout)

    def speed(self, *arguments):
        return self.record('speed', '-m', BUNDLED, '-r', '1', '-t', '2', '--no-limits', '--profile', '--json', *arguments)

    def test_operators(self):
        """A mark for each call that the profile counts, each within a step of the network."""
        marks, found = self.speed('--prefill', '40', '--decode', '5')
        ours = [mark for mark in marks if mark.group == 'Woolly backend' and mark.name != 'pack']
        steps = [mark for mark in marks if mark.name in ('prefill', 'decode')]
        names = {entry['operator'] for row in found['results'] for entry in row['profile']}
        self.assertEqual({mark.name for mark in ours}, names)
        self.assertIn('linear Q8_0', names)
        for name in names:
            of_name = [mark for mark in ours if mark.name == name]
            entries = [entry for row in found['results'] for entry in row['profile'] if entry['operator'] == name]
            # the first token and the runs before those that count are there, too
            self.assertGreater(len(of_name), sum(entry['calls'] for entry in entries))
            time_ns = sum(mark.end - mark.begin for mark in of_name)
            self.assertGreaterEqual(time_ns, sum(entry['time_ns'] for entry in entries))
            self.assertGreater(time_ns, 0)
        for mark in ours:
            self.assertGreaterEqual(mark.end, mark.begin)
            self.assertEqual(len([step for step in steps if step.begin <= mark.begin and mark.end <= step.end]), 1, mark)

    def test_steps(self):
        marks, _ = self.speed('--prefill', '40', '--decode', '5', '--batch', '3', '--chunk', '60', '--first-token', '7')
        self.assertEqual([mark.name for mark in marks if mark.group == 'Woolly' and mark.name == 'load'], ['load'] * 2)
        steps = [(mark.name, mark.message) for mark in marks if mark.name in ('prefill', 'decode')]
        self.assertEqual(steps[:2], [('prefill', 'tokens 7, sequences 1'), ('decode', 'tokens 1, sequences 1')])
        for step in (('prefill', 'tokens 60, sequences 2'), ('decode', 'tokens 3, sequences 3')):
            self.assertIn(step, steps)

    def test_packing(self):
        """Weights are packed when they are used first, while they are loaded, or never."""
        for how, least, most, within in (('auto', 2, 1000, 'prefill'), ('1', 1, 1, 'load'), ('0', 0, 0, '')):
            marks, _ = self.speed('--prefill', '40', '--decode', '0', '--pack', how)
            packs = [mark for mark in marks if mark.name == 'pack']
            self.assertLessEqual(least, len(packs))
            self.assertLessEqual(len(packs), most)
            if packs:
                self.assertTrue([mark for mark in marks if mark.name in (within, 'decode')
                                 and mark.begin <= packs[0].begin and packs[0].end <= mark.end])

    def test_nobody_records(self):
        """What the variable names is no recorder, or not there any more."""
        for value in ('', '99', '-1', 'x'):
            done = run('speed', '-m', BUNDLED, '-r', '1', '--prefill', '4', '--decode', '1', '--no-limits',
                       env={**os.environ, 'SYSPROF_CONTROL_FD': value}, stdin=subprocess.DEVNULL)
            self.assertEqual((done.returncode, done.stderr), (0, ''))


class Limits(Bench):

    def test_figures(self):
        found = self.json('limits', '-t', '2')
        self.assertEqual(found['threads'], 2)
        self.assertGreater(found['hz'], 1e8)
        self.assertGreater(found['macs_per_second_1'], 1e8)
        self.assertGreaterEqual(found['macs_per_second'], found['macs_per_second_1'])
        self.assertEqual([(read['threads'], read['page_bytes']) for read in found['reads']],
                         [(1, 4096), (2, 4096), (1, 2097152), (2, 2097152)])
        for read in found['reads']:
            self.assertLessEqual(read['median'], read['bytes_per_second'])
            self.assertLessEqual(read['bytes_per_second'], found['bytes_per_second'])
        self.assertEqual(found['bytes_per_second'], max(read['bytes_per_second'] for read in found['reads']))

    def test_instruction_set(self):
        self.assert_refused(2, 'nonsense', 'limits', '--isa', 'nonsense')
        os.environ['WOOLLY_CPU_MASK'] = 'none'
        self.addCleanup(os.environ.pop, 'WOOLLY_CPU_MASK')
        self.assertEqual(self.json('limits', '-t', '1')['isa'], 'c')
        self.assert_refused(2, 'not on this machine', 'limits', '--isa', 'avx2')

    def test_text(self):
        text = self.output('limits', '-t', '1')
        for word in ('GHz', 'GMAC/s', '4 KB', '2 MB', 'GB/s'):
            self.assertIn(word, text)

    def test_refused(self):
        self.assert_refused(2, 'options only', 'limits', 'file.gguf')
        self.assert_refused(2, 'options only', 'limits', '-t', '-1')


class Kld(Bench):

    def kld(self, *arguments, text=STORY):
        return self.json('kld', '-m', BUNDLED, '--text', self.path('text.txt', text), *arguments)

    def test_float_run_is_its_own_reference(self):
        found = self.kld('--reference', 'self', '--activations', 'f32', '--kv', 'f32', '-c', '64', '-t', '1')
        self.assertEqual(found['top1'], 1)
        self.assertLess(abs(found['mean_kld']), 1e-15)
        self.assertEqual(found['ppl'], found['ppl_reference'])
        self.assertLess(found['ppl'], 200)

    def test_rounding(self):
        found = self.kld('-c', '64', '-t', '1')
        self.assertGreater(found['mean_kld'], 1e-7)
        self.assertLess(found['mean_kld'], 0.01)
        self.assertGreaterEqual(found['p99_kld'], found['mean_kld'])
        self.assertGreater(found['top1'], 0.9)
        self.assertNotEqual(found['ppl'], found['ppl_reference'])

    def test_positions(self):
        """Of a piece of c tokens, c - c // 2 - 1 are scored; what does not fill a piece is not."""
        whole = self.kld('-c', '32', '-t', '1')
        self.assertEqual(whole['positions'] % 15, 0)
        odd = self.kld('-c', '33', '-t', '1')
        self.assertEqual(odd['positions'] % 16, 0)
        self.assertEqual(self.kld('-c', '32', '-t', '1', text=STORY[:-1])['positions'], whole['positions'])

    def test_reference_file(self):
        """The same weights as floats in a file of their own are the same reference."""
        floats = self.path('floats.gguf')
        self.output('dequantise', BUNDLED, floats)
        self.assertEqual(self.kld('--reference', floats, '-c', '64', '-t', '1'), self.kld('--reference', 'self', '-c', '64', '-t', '1'))

    def test_text_output(self):
        text = self.output('kld', '-m', BUNDLED, '--text', self.path('text.txt', STORY), '-c', '64', '-t', '1')
        for word in ('mean_kld ', 'p99_kld ', 'top1 ', 'ppl ', 'ppl_reference '):
            self.assertIn(word, text)

    def test_refused(self):
        text = self.path('text.txt', 'Too short.')
        self.assert_refused(2, '--text', 'kld', '-m', BUNDLED)
        self.assert_refused(2, '-m FILE', 'kld', '--text', text)
        self.assert_refused(2, 'context', 'kld', '-m', BUNDLED, '--text', text, '-c', '3')
        self.assert_refused(1, 'less than one piece', 'kld', '-m', BUNDLED, '--text', text)
        self.assert_refused(1, 'nowhere.txt', 'kld', '-m', BUNDLED, '--text', self.path('nowhere.txt'))
        self.assert_refused(1, 'nowhere.gguf', 'kld', '-m', BUNDLED, '--text', text, '--reference',
                            self.path('nowhere.gguf'))


if __name__ == '__main__':
    woolly_tap.main()
