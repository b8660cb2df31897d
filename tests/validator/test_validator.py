#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The validator against the real service on a bus of its own: outputs, history, gates, exit statuses. No figure is judged."""
import argparse
import csv
import html.parser
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import woolly_tap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import agreement  # noqa: E402
import history  # noqa: E402
import measures  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
import service  # noqa: E402

MODEL = os.environ['WOOLLY_BUNDLED_MODEL']
VALIDATOR = os.path.join(HERE, 'run_validation.py')
RULES = {'history': 10, 'at_least': 3, 'tolerance': 0.15}
PEER = """#!/bin/sh
echo "$@" >>"$0.log"
[ "$1" = --help ] || echo '[{"build_commit": "abc", "avg_ts": 7}, {"build_commit": "abc", "avg_ts": 1000000}]'
"""
# What peer.mjs asks of node-llama-cpp: a token is a character, and the likeliest is the one after that before it.
PACKAGE = """
import { appendFileSync } from 'node:fs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Sequence {
  context = [];
  async clearHistory() { this.context = []; }
  async *evaluate(tokens, { temperature, yieldEogToken }) {
    if (temperature !== 0 || this.context.length > 0) throw new Error('not from the start');
    this.context.push(...tokens);
    await pause(20);
    for (let token = tokens.at(-1) + 1; yieldEogToken || token !== 122; token++) {
      await pause(2);
      this.context.push(token);
      yield token;
    }
  }
}

export async function getLlama(options) {
  appendFileSync(process.env.PEER_LOG, `${JSON.stringify(options)}\\n`);
  if (process.env.PEER_BROKEN) throw new Error('no binary for this machine');
  return {
    async dispose() {},
    async loadModel({ modelPath, gpuLayers }) {
      if (!modelPath.endsWith('.gguf') || gpuLayers !== 0) throw new Error('no model');
      return {
        tokens: { shouldPrependBosToken: true, bos: 1 },
        tokenize: (text) => [...text].map((character) => character.charCodeAt(0)),
        detokenize: (tokens) => String.fromCharCode(...tokens),
        async createContext(more) {
          appendFileSync(process.env.PEER_LOG, `${JSON.stringify(more)}\\n`);
          return { getSequence: () => new Sequence() };
        },
      };
    },
  };
}
"""


class Outline(html.parser.HTMLParser):
    """Whether elements are closed in their order, and what they refer to."""
    VOID = ('meta', 'br')

    def __init__(self):
        super().__init__()
        self.open, self.counts, self.links = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name in ('src', 'href')]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag)
        self.open.pop()


class Validator(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.history = self.path('history.jsonl')
        self.environment = dict(os.environ)
        self.environment['WOOLLY_CONFIG'] = self.path('woollyd.conf', '[compute]\nthreads=1\n')

    def path(self, name, content=None, mode=0o644):
        path = os.path.join(self.folder, name)
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(content)
            os.chmod(path, mode)
        return path

    def only_on_path(self, *programs):
        """Of all that is installed, these; and what is put into the folder bin."""
        os.makedirs(self.path('bin'), exist_ok=True)
        for program in ('dbus-daemon', *programs):
            os.symlink(shutil.which(program), self.path(os.path.join('bin', program)))
        self.environment['PATH'] = self.path('bin')
        self.environment.pop('NODE_PATH', None)

    def validate(self, test, *more, status=0):
        done = subprocess.run(
            [sys.executable, '-B', VALIDATOR, '--test', test, '--quick', '--private', '--model-file', MODEL, '--history',
             self.history, '--output', self.folder, *more],
            capture_output=True, text=True, check=False, timeout=240, env=self.environment)
        self.assertEqual(done.returncode, status, (done.stdout, done.stderr))
        return done

    def result(self, test):
        with open(self.path(test + '.json'), encoding='utf-8') as file:
            return json.load(file)

    def page(self, test):
        with open(self.path(test + '.html'), encoding='utf-8') as file:
            text = file.read()
        outline = Outline()
        outline.feed(text)
        self.assertEqual(outline.open, [])
        self.assertEqual(outline.links, [])
        self.assertNotIn('script', outline.counts)
        self.assertNotIn('url(', text)
        return text, outline.counts

    def entries(self):
        return history.read(self.history)

    def assert_measured(self, test, *metrics):
        done = self.validate(test)
        result = self.result(test)
        self.assertEqual((result['status'], result['test'], result['quick']), ('passed', test, True))
        self.assertEqual(result['model'], 'woolly-tiny-Q8_0')
        for metric in metrics:
            found = result['metrics'][metric]
            self.assertGreater(found['n'], 0)
            self.assertLessEqual(found['min'], found['p50'])
            self.assertLessEqual(found['p50'], found['p90'])
            self.assertLessEqual(found['p90'], found['p99'])
            self.assertLessEqual(found['p99'], found['max'])
            self.assertIn(metric, done.stdout)
        entry, = self.entries()
        self.assertEqual((entry['test'], entry['metrics']), (test, result['metrics']))
        return result


class Tests(Validator):

    def test_inference_speed(self):
        result = self.assert_measured('inference_speed', 'tokens_per_second', 'single_token_latency_ms', 'first_token_ms',
                                      'cache_hit_ratio')
        self.assertGreater(result['metrics']['tokens_per_second']['min'], 0)
        self.assertGreater(result['metrics']['cache_hit_ratio']['min'], 0.3)
        self.assertLessEqual(result['metrics']['cache_hit_ratio']['max'], 1)
        text, counts = self.page('inference_speed')
        self.assertGreaterEqual(counts['svg'], 1)
        self.assertIn('tokens per second', text)

    def test_resource_utilization(self):
        result = self.assert_measured('resource_utilization', 'memory_usage_mb', 'cpu_utilization_percent')
        self.assertGreater(result['metrics']['memory_usage_mb']['min'], 4)
        self.assertLess(result['metrics']['memory_usage_mb']['max'], 4000)
        self.assertLess(result['metrics']['cpu_utilization_percent']['p50'], 150)
        self.assertEqual(self.page('resource_utilization')[1]['svg'], 2)

    def test_model_loading(self):
        result = self.assert_measured('model_loading', 'model_load_time_seconds', 'memory_usage_mb')
        self.assertEqual(result['metrics']['model_load_time_seconds']['n'], 3)
        self.page('model_loading')

    def test_quality_validation(self):
        self.only_on_path()
        result = self.assert_measured('quality_validation', 'cache_hit_ratio')
        self.assertGreaterEqual(len(result['checks']), 8)
        self.assertTrue(all(check['holds'] for check in result['checks']))
        self.assertIn('seeds are drawn anew', self.page('quality_validation')[0])

    def test_parts_that_are_left_out(self):
        self.only_on_path()
        done = self.validate('quality_validation')
        self.assertIn('left out: accuracy: woolly-bench is not on the PATH', done.stdout)
        self.assertIn('left out: the same prompts beside a peer: there is no peer: llama-completion is not', done.stdout)
        result = self.result('quality_validation')
        self.assertEqual([part['what'] for part in result['left_out']], ['accuracy', 'the same prompts beside a peer'])
        self.assertEqual(result['peer'], '')
        self.assertIn('left out: accuracy', self.page('quality_validation')[0])
        done = self.validate('quality_validation', '--bench', '/nowhere/woolly-bench')
        self.assertIn('left out: accuracy: /nowhere/woolly-bench cannot be run', done.stdout)
        done = self.validate('quality_validation', '--bench', shutil.which('false'))
        self.assertIn('left out: accuracy: woolly-bench failed', done.stdout)
        config = self.path('gates.json', '{"text": "nowhere.txt"}')
        done = self.validate('quality_validation', '--bench', os.environ['WOOLLY_BENCH'], '--config', config)
        self.assertIn('left out: accuracy: the text cannot be read', done.stdout)

    def test_accuracy(self):
        self.only_on_path()
        self.validate('quality_validation', '--bench', os.environ['WOOLLY_BENCH'], '--gate', 'accurate')
        result = self.result('quality_validation')
        metrics = result['metrics']
        self.assertGreater(metrics['mean_kld']['p50'], 1e-7)
        self.assertGreater(metrics['p99_kld']['p50'], metrics['mean_kld']['p50'])
        self.assertGreater(metrics['ppl']['p50'], 1)
        self.assertNotEqual(metrics['ppl']['p50'], metrics['ppl_reference']['p50'])
        check, = [check for check in result['checks'] if 'mean_kld' in check['what']]
        self.assertEqual((check['what'], check['holds']), ('mean_kld is at most 0.001', True))
        self.assertEqual([part['what'] for part in result['left_out']], ['the same prompts beside a peer'])
        config = self.path('gates.json', '{"accuracy": {"mean_kld": {"max": 1e-9}, "top1": {"min": 0.5}}}')
        done = self.validate('quality_validation', '--bench', os.environ['WOOLLY_BENCH'], '--config', config, status=1)
        self.assertIn('does not hold: mean_kld is at most 1e-09', done.stdout)
        self.assertNotIn('does not hold: top1', done.stdout)


class Beside(Validator):
    """A peer, which is a double here."""

    def node(self):
        if shutil.which('node') is None:
            self.skipTest('there is no node')
        self.environment['PEER_LOG'] = self.path('peer.log')
        self.path('npm/node_modules/node-llama-cpp/package.json',
                  '{"name": "node-llama-cpp", "version": "1.2.3", "type": "module", "exports": {".": "./dist/index.js"}}')
        self.path('npm/node_modules/node-llama-cpp/dist/index.js', PACKAGE)

    def test_no_peer(self):
        self.only_on_path()
        done = self.validate('comparative', status=77)
        self.assertIn('llama-bench is not on the PATH; there is no node for node-llama-cpp', done.stdout)
        self.assertEqual(self.entries(), [])
        self.assertEqual(self.result('comparative')['status'], 'skipped')
        self.assertIn('there is no peer', self.page('comparative')[0])

    def test_ratios(self):
        self.only_on_path()
        log = self.path('bin/llama-bench', PEER, 0o755) + '.log'
        self.environment['PATH'] += ':/bin'  # for its shell
        done = self.validate('comparative', '--peer', 'path')
        result = self.result('comparative')
        metrics = result['metrics']
        for metric in ('decode_ratio', 'prefill_ratio'):
            self.assertGreater(metrics[metric]['min'], 0)
            self.assertLess(metrics[metric]['max'], 1)  # the peer says a million
        self.assertAlmostEqual(metrics['decode_ratio']['max'] * 1e6, metrics['tokens_per_second']['max'], 3)
        self.assertEqual(result['peer'], 'llama-bench abc')
        self.assertEqual(self.entries()[0]['peer'], 'llama-bench abc')
        self.assertIn('beside llama-bench abc', self.page('comparative')[0])
        self.assertRegex(done.stdout, "decode: .* times the peer's .*; pairs: 3")
        with open(log, encoding='utf-8') as file:
            calls = [line.split() for line in file if line.startswith('-m')]
        n_prompt = calls[0][calls[0].index('-p') + 1]
        self.assertGreater(int(n_prompt), 50)
        common = ['-m', MODEL, '-t', '1', '-ngl', '0', '-r', '1', '-o', 'json']
        self.assertEqual(calls, [common + ['-p', n_prompt, '-n', '0'], common + ['-p', '0', '-n', '16']] * 3)
        self.validate('comparative', '--peer', 'path', '--gate', 'on-par', status=1)

    def test_broken_programs(self):
        self.only_on_path()
        for script, reason in (('echo this is why >&2; exit 1', 'llama-bench failed: this is why'),
                               ('echo nonsense', 'llama-bench printed no figure: nonsense'),
                               ("echo '[]'", 'llama-bench printed no figure: []'),
                               ("echo '[{}]'", 'llama-bench printed no figure: [{}]'),
                               ("""echo '[{"avg_ts": 0}]'""", 'llama-bench printed 0.0 tokens per second')):
            self.path('bin/llama-bench', f'#!/bin/sh\n{script}\n', 0o755)
            self.assertIn(reason, self.validate('comparative', '--peer', 'path', status=77).stdout)
        self.path('bin/llama-bench', '#!/nowhere/sh\n', 0o755)
        self.assertIn('llama-bench: ', self.validate('comparative', '--peer', 'path', status=77).stdout)
        self.assertEqual(self.entries(), [])

    def test_continuations(self):
        self.only_on_path()
        program = '#!/bin/sh\n[ "$1" != --version ] || echo "version: 3 (abcdef12)"\n[ "$1" != -m ] || echo "{}"\n'
        self.path('bin/llama-completion', program.format(' [end of text]'), 0o755)
        done = self.validate('quality_validation', '--peer', 'path')
        self.assertIn('beside llama-completion abcdef12: 0 of 3 texts are the same\n', done.stdout)
        found = self.result('quality_validation')['metrics']['common_prefix_characters']
        self.assertEqual((found['max'], found['n']), (0, 3))
        self.path('bin/llama-completion', program.format('@&%!'), 0o755)
        done = self.validate('quality_validation', '--peer', 'path', status=1)
        self.assertRegex(done.stdout, 'does not hold: it writes what llama-completion writes, .*0.5 are tolerated')

    def test_package(self):
        self.node()
        with unittest.mock.patch.dict(os.environ, self.environment):
            peer = peers.find('speed', folder=self.path('npm'))
            self.assertEqual(peers.title(peer), 'node-llama-cpp 1.2.3')
            found = peer.speed(MODEL, 3, 'abcdefg', 0, 5)
            self.assertEqual(peer.continuation(MODEL, 3, 'abcdefg', 5), 'hijkl')
            self.assertEqual(peer.continuation(MODEL, 3, 'abcdefg', 50), 'hijklmnopqrstuvwxy')
            with self.assertRaisesRegex(peers.NoPeer, 'measured nothing with 1 tokens'):
                peer.speed(MODEL, 3, 'abcdefg', 0, 1)
            with self.assertRaisesRegex(peers.NoPeer, 'no model'):
                peer.speed('/nowhere', 3, 'abcdefg', 0, 5)
        self.assertEqual(found['prompt'], 8)
        self.assertGreater(found['prefill'], 0)
        self.assertLess(found['prefill'], 8 / 0.02)
        self.assertLess(found['decode'], 1 / 0.0015)
        with open(self.path('peer.log'), encoding='utf-8') as file:
            options, _, context, *_ = map(json.loads, file)
        self.assertEqual((options['gpu'], options['build'], options['skipDownload']), (False, 'never', True))
        self.assertEqual(context['threads'], 3)
        self.assertGreaterEqual(context['contextSize'], 13)

    def test_where_node_finds_it(self):
        self.node()
        self.only_on_path('node')
        no_npm = self.validate('comparative', '--peer', 'npm', status=77)
        self.assertIn('node finds no node-llama-cpp in', no_npm.stdout)
        self.environment['NODE_PATH'] = self.path('npm/node_modules')
        done = self.validate('comparative')
        self.assertIn('beside node-llama-cpp 1.2.3, 1 threads each', done.stdout)
        self.validate('comparative', '--peer-folder', self.path('bin'), status=77)  # there and nowhere else
        del self.environment['NODE_PATH']
        self.path('bin/npm', f'#!/bin/sh\necho {self.path("npm/node_modules")}\n', 0o755)
        self.validate('comparative')
        self.environment['PEER_BROKEN'] = '1'
        self.assertIn('no binary for this machine', self.validate('comparative', status=77).stdout)


class BesideRealPeers(Validator):
    """Those of this machine, where there are any."""

    def compare(self, kind, folder=None):
        for ability in peers.PROGRAMS:
            try:
                peers.find(ability, kind, folder)
            except peers.NoPeer as reason:
                self.skipTest(str(reason))
        config = self.path('gates.json', '{"quick_runs": 2}')
        self.validate('comparative', '--peer', kind, '--config', config)
        self.assertGreater(self.result('comparative')['metrics']['prefill_ratio']['min'], 0)
        self.validate('quality_validation', '--peer', kind, '--config', config)
        result = self.result('quality_validation')
        self.assertNotIn('the same prompts beside a peer', [part['what'] for part in result['left_out']])
        self.assertGreater(result['metrics']['common_prefix_characters']['max'], 0)

    def test_programs(self):
        self.compare('path')

    def test_package(self):
        self.compare('npm')


class ThroughTheBus(Validator):

    def test_bench_first_token(self):
        """woolly-bench speed --bus asks the service that it finds on the bus."""
        bus = service.PrivateBus(os.environ['WOOLLY_DAEMON'], [])
        self.addCleanup(bus.close)
        self.environment['DBUS_SESSION_BUS_ADDRESS'] = bus.address
        command = [os.environ['WOOLLY_BENCH'], 'speed', '-m', MODEL, '-t', '1', '-r', '1', '--no-limits', '--prefill', '0',
                   '--decode', '1', '--first-token', '40', '--bus']
        done = subprocess.run([*command, '--json'], capture_output=True, text=True, check=False, timeout=120,
                              env=self.environment)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        found = json.loads(done.stdout)
        short, long = found['first_token_bus']
        self.assertLess(short['prompt'], 10)
        self.assertGreaterEqual(long['prompt'], 40)
        for first in (short, long):
            self.assertGreater(first['seconds'], 0)
        done = subprocess.run([*command, '--csv'], capture_output=True, text=True, check=True, timeout=120,
                              env=self.environment)
        rows = [row for row in csv.DictReader(io.StringIO(done.stdout)) if row['row'] == 'first_token_bus']
        self.assertEqual([(row['kind'], int(row['n'])) for row in rows],
                         [('prefill', short['prompt']), ('prefill', long['prompt'])])
        for row in rows:
            self.assertGreater(float(row['seconds']), 0)
            self.assertGreaterEqual(float(row['load_seconds']), 0)
        self.environment['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nowhere'
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=self.environment)
        self.assertEqual((done.returncode, done.stdout), (1, ''))


class Judgement(Validator):

    def test_gates(self):
        config = self.path('gates.json', json.dumps({'gates': {
            'low': {'model_load_time_seconds': {'of': 'p90', 'max': 1e6}},
            'high': {'model_load_time_seconds': {'max': 1e-9}},
            'other': {'decode_ratio': {'min': 0}}}}))
        self.validate('model_loading', '--config', config, '--gate', 'low')
        gate, = self.result('model_loading')['gates']
        self.assertEqual((gate['name'], gate['holds'], gate['of'], gate['max']), ('low', True, 'p90', 1e6))
        self.validate('model_loading', '--config', config, '--gate', 'low', '--gate', 'high', status=1)
        self.assertEqual([gate['holds'] for gate in self.result('model_loading')['gates']], [True, False])
        self.assertIn('gate “high”', self.page('model_loading')[0])
        self.validate('model_loading', '--config', config, '--gate', 'other', status=1)  # what is not known does not hold

    def test_regression(self):
        self.validate('model_loading')
        entry, = self.entries()
        for metric, usual, status in (('model_load_time_seconds', 1e-9, 3), ('model_load_time_seconds', 1e9, 0),
                                      ('memory_usage_mb', 1e-9, 3)):
            os.unlink(self.history)
            entry['metrics'][metric]['p50'], kept = usual, entry['metrics'][metric]['p50']
            for _ in range(3):
                history.append(self.history, entry)
            entry['metrics'][metric]['p50'] = kept
            done = self.validate('model_loading', status=status)
            alerts = [alert['metric'] for alert in self.result('model_loading')['regressions']]
            if status == 3:
                self.assertIn(metric, alerts)
                self.assertIn('REGRESSION: ' + metric, done.stdout)
                self.assertIn('the last 3 runs had', self.page('model_loading')[0])
            else:
                self.assertNotIn(metric, alerts)
        self.assertEqual(len(self.entries()), 4)

    def test_command_line(self):
        self.validate('model_loading', '--gate', 'nonsense', status=2)
        self.validate('model_loading', '--config', self.path('broken.json', '{'), status=2)
        self.validate('model_loading', '--config', self.path('nowhere.json'), status=2)
        self.validate('nonsense', status=2)
        wrong = self.path('wrong.json', json.dumps({'gates': {'odd': {'nonsense': {'min': 1}}}}))
        self.validate('model_loading', '--config', wrong, '--gate', 'odd', status=2)
        wrong = self.path('wrong.json', json.dumps({'accuracy': {'tokens_per_second': {'min': 1}}}))
        self.validate('model_loading', '--config', wrong, status=2)
        self.validate('comparative', '--peer', 'nonsense', status=2)
        self.validate('model_loading', '--daemon', '/nowhere/woollyd', status=4)
        self.validate('model_loading', '--model', 'nonsense', status=4)
        self.assertEqual(self.entries(), [])


class Arithmetic(Validator):

    def test_rank(self):
        self.assertEqual(measures.rank([3, 1, 2], 50), 2)
        self.assertEqual(measures.rank([10, 20], 90), 19)
        self.assertEqual(measures.rank([7], 99), 7)
        self.assertEqual(measures.summary([1, 2, 3, 4])['p50'], 2.5)

    def test_directions(self):
        def entry(**metrics):
            return {'metrics': {name: {'p50': value} for name, value in metrics.items()}}

        old = [entry(tokens_per_second=100, first_token_ms=10)] * 3
        self.assertEqual(history.regressions(old, entry(tokens_per_second=86, first_token_ms=11.4), RULES), [])
        slower, later = history.regressions(old, entry(tokens_per_second=84, first_token_ms=11.6), RULES)
        self.assertEqual((slower['metric'], slower['usual'], slower['now']), ('tokens_per_second', 100, 84))
        self.assertAlmostEqual(later['change'], 0.16)
        self.assertEqual(history.regressions(old, entry(tokens_per_second=200, first_token_ms=1), RULES), [])
        self.assertEqual(history.regressions(old[:2], entry(tokens_per_second=1), RULES), [])
        self.assertEqual(history.regressions([entry(ppl_reference=1)] * 3, entry(ppl_reference=9), RULES), [])
        many = [entry(tokens_per_second=10)] * 20 + [entry(tokens_per_second=100)] * 10
        self.assertEqual(len(history.regressions(many, entry(tokens_per_second=50), RULES)), 1)

    def test_what_is_comparable(self):
        here = {'test': 't', 'model': 'm', 'machine': 'x', 'quick': True, 'peer': 'p'}
        others = [dict(here, **{key: 'other'}) for key in here]
        self.assertEqual(history.comparable(others + [here], here), [here])
        alone = dict(here, peer='')
        older = {key: value for key, value in here.items() if key != 'peer'}
        self.assertEqual(history.comparable([here, alone, older], alone), [alone, older])

    def test_who_comes_first(self):
        calls = []
        service = unittest.mock.Mock()
        service.facts.return_value = {'Id': 'm', 'Files': []}
        service.generate.side_effect = lambda *_, max_tokens, **_options: calls.append(f'ours {max_tokens}') or (
            [], '', {'tokens-in': 10, 'tokens-out': 5, 'prefill-us': 1000, 'decode-us': 1000})
        peer = unittest.mock.Mock(version='')
        peer.name = 'peer'
        peer.speed.side_effect = lambda *_: calls.append('theirs') or {'prefill': 20000, 'decode': 2000}
        options = argparse.Namespace(quick=False, model_file=MODEL, bench=None, peer=None, peer_folder=None)
        run = measures.Run(service, '/m', {'runs': 4, 'tokens': 5, 'prompt': 'Once'}, options)
        with unittest.mock.patch.object(peers, 'find', return_value=peer):
            measures.comparative(run)
        self.assertEqual(calls[2:], ['ours 5', 'theirs', 'theirs', 'ours 5', 'ours 5', 'theirs', 'theirs', 'ours 5'])
        self.assertEqual((run.samples['prefill_ratio'], run.samples['decode_ratio']), ([0.5] * 4, [2] * 4))

    def test_where_texts_part(self):
        def token(text, logprob=-0.5, *top):
            return {'text': text, 'logprob': logprob, 'top': [(0, text, logprob), *((1, *other) for other in top)]}

        ours = [token(' a'), token(' red', -0.5, (' re', -9.0), (' blue', -0.75), (' r', -3.0)), token(' ball')]
        self.assertEqual(agreement.common(' a red ball', ' a blue'), 3)
        self.assertFalse(agreement.parted(' a red ball', ' a red'))
        self.assertTrue(agreement.parted(' a red ball', ' a rod'))
        self.assertEqual(agreement.gap(ours, ' a blue ball'), 0.25)
        self.assertEqual(agreement.gap(ours, ' a green ball'), float('inf'))
        self.assertEqual(agreement.gap(ours, ' a rod'), 2.5)  # “ r”, and then something else
        self.assertEqual(agreement.gap([token(' b', -0.5, ('', -0.6)), token('x')], ' by'), float('inf'))
        self.assertEqual(agreement.gap([token(' b'), token('x', -0.5, ('', -0.6))], ' by'), float('inf'))
        pieces = [token(' '), token('b', -1.0, ('bl', -1.5), ('blue', -4.0)), token('r', -0.1, ('l', -9.0))]
        self.assertEqual(agreement.gap(pieces, ' blue'), 0.5)  # the peer need not have cut it where we did
        self.assertIsNone(agreement.gap([token('\ufffd'), token('x')], 'yz'))

    def test_damaged_history(self):
        self.path('history.jsonl', '{"metrics": {}}\n{"cut\n[]\n\n{"metrics": {"x": {}}}\n')
        self.assertEqual(len(self.entries()), 2)
        self.assertEqual(history.medians(self.entries(), 'x'), [])

    def test_numbers(self):
        for value, text in ((0, '0'), (1234.5, '1\u202f234'), (12.345, '12.3'), (0.01234, '0.0123'), (100, '100')):
            self.assertEqual(report.number(value), text)
        for low, high in ((0, 1), (3, 3), (0, 0), (-5, 1e9), (0.001, 0.0011)):
            floor, ceiling, ticks = report.scale(low, high)
            self.assertLessEqual(floor, low)
            self.assertGreaterEqual(ceiling + 1e-9, high)
            self.assertGreaterEqual(len(ticks), 2)
            self.assertLessEqual(len(ticks), 8)


if __name__ == '__main__':
    woolly_tap.main()
