# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests: each takes a Run and leaves samples, checks or a reason to be skipped in it."""
import os
import threading
import time

import accuracy
import agreement
import peers

MIB = 1 << 20
CACHED_TIMES = 6  # the prompt of the configuration, in one that fills blocks of the cache
PERCENTILES = (50, 90, 99)
# name -> (unit, whether more is better; None: neither is)
METRICS = {
    'tokens_per_second': ('t/s', True),
    'single_token_latency_ms': ('ms', False),
    'first_token_ms': ('ms', False),
    'memory_usage_mb': ('MB', False),
    'cpu_utilization_percent': ('%', False),
    'cache_hit_ratio': ('', True),
    'model_load_time_seconds': ('s', False),
    'prefill_ratio': ('x', True),
    'decode_ratio': ('x', True),
    'mean_kld': ('nats', False),
    'p99_kld': ('nats', False),
    'top1': ('', True),
    'ppl': ('', False),
    'ppl_reference': ('', None),
    'common_prefix_characters': ('characters', None),
}


class Skipped(Exception):
    """The test cannot be run here; the text says why."""


class Run:
    """One test: what it works with, and what it found."""

    def __init__(self, service, model, config, options):
        """@options: as the command line has them; quick, model_file, bench, peer, peer_folder"""
        self.service, self.path, self.config, self.options = service, model, config, options
        self.quick = options.quick
        facts = service.facts(model)
        self.name, self.facts = facts['Id'], facts
        self.runs, self.tokens = self.setting('runs'), self.setting('tokens')
        self.samples = {}  # metric -> numbers
        self.traces = {}  # name -> [(seconds, number)]
        self.checks = []  # (what, whether it holds, more about it)
        self.left_out = []  # (what, why)
        self.notes = []
        self.peer = ''  # what it was compared with

    def setting(self, name):
        return self.config[('quick_' if self.quick else '') + name]

    def add(self, metric, *numbers):
        self.samples.setdefault(metric, []).extend(numbers)

    def check(self, what, holds, more=''):
        self.checks.append((what, bool(holds), more))

    def find_peer(self, ability):
        peer = peers.find(ability, self.options.peer, self.options.peer_folder)
        self.peer = peers.title(peer)
        return peer

    def generate(self, prompt, **options):
        return self.service.generate(self.name, prompt, **{'temperature': 0.0, 'ignore_end': True,
                                                           'max_tokens': self.tokens, **options})


def rank(samples, percent):
    """The value that so many percent of the samples do not exceed, between two neighbours."""
    ordered = sorted(samples)
    at = (len(ordered) - 1) * percent / 100
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def within(value, rule):
    return value is not None and rule.get('min', value) <= value <= rule.get('max', value)


def summary(samples):
    found = {f'p{percent}': rank(samples, percent) for percent in PERCENTILES}
    return {**found, 'min': min(samples), 'max': max(samples), 'mean': sum(samples) / len(samples), 'n': len(samples)}


def add_speed(run, times, result):
    """Of one generation."""
    if result['tokens-out'] > 1 and result.get('decode-us', 0) > 0:
        run.add('tokens_per_second', (result['tokens-out'] - 1) * 1e6 / result['decode-us'])
    run.add('first_token_ms', times[0] * 1000)
    run.add('single_token_latency_ms', *[(b - a) * 1000 for a, b in zip(times, times[1:])])


def add_cached(run):
    """A prompt of some blocks of the cache, twice: how much of it needs no computing. Returns both texts."""
    prompt = f'{len(run.samples.get("cache_hit_ratio", []))}. ' + ' '.join([run.config['prompt']] * CACHED_TIMES)
    before = run.generate(prompt)[1]
    _, after, result = run.generate(prompt)
    run.add('cache_hit_ratio', result.get('tokens-cached', 0) / max(result['tokens-in'], 1))
    return before, after


def inference_speed(run):
    run.service.load(run.path)
    run.generate(run.config['prompt'], max_tokens=2)
    for i in range(run.runs):
        times, _, result = run.generate(f'{i}. ' + run.config['prompt'])
        add_speed(run, times, result)
    for _ in range(run.runs):
        add_cached(run)


# ---- resources ----

def resident(pid):
    try:
        with open(f'/proc/{pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    except (OSError, IndexError):
        return 0


def cpu_seconds(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    except (OSError, IndexError):
        return 0.0


class Sampler(threading.Thread):
    """Looks at processes until it is stopped: (seconds, bytes, share of all cores)."""

    def __init__(self, pids, interval=0.1):
        super().__init__(daemon=True)
        self.pids, self.interval, self.rows, self.over = pids, interval, [], threading.Event()

    def run(self):
        begin = then = time.monotonic()
        before = sum(map(cpu_seconds, self.pids))
        while not self.over.wait(self.interval):
            now, used = time.monotonic(), sum(map(cpu_seconds, self.pids))
            share = max(used - before, 0) / (now - then) / os.cpu_count()
            self.rows.append((now - begin, sum(map(resident, self.pids)), share))
            then, before = now, used

    def stop(self):
        self.over.set()
        self.join()
        return self.rows


def resource_utilization(run):
    run.service.load(run.path)
    run.generate(run.config['prompt'], max_tokens=2)
    pids = run.service.processes()
    run.check('the model has a process of its own', len(pids) > 1, f'{len(pids)} processes')
    sampler = Sampler(pids)
    sampler.start()
    begin = time.monotonic()
    for i in range(run.runs):
        run.generate(f'{i}. ' + run.config['prompt'])
    while time.monotonic() - begin < 0.5:  # of a fast model, enough to see something
        run.generate(run.config['prompt'])
    rows = sampler.stop()
    run.add('memory_usage_mb', *[row[1] / MIB for row in rows])
    run.add('cpu_utilization_percent', *[row[2] * 100 for row in rows])
    run.traces['memory, MB'] = [(row[0], row[1] / MIB) for row in rows]
    run.traces['processor, % of all cores'] = [(row[0], row[2] * 100) for row in rows]
    before = sum(map(cpu_seconds, pids))
    time.sleep(0.5 if run.quick else 2)
    run.notes.append(f'idle afterwards: {sum(map(cpu_seconds, pids)) - before:.2f} s of processor time')


def model_loading(run):
    for _ in range(run.runs):
        run.service.unload(run.path)
        begin = time.monotonic()
        run.service.load(run.path)
        run.add('model_load_time_seconds', time.monotonic() - begin)
        run.add('memory_usage_mb', run.service.get(run.path, 'Model', 'MemoryInUse') / MIB)


# ---- quality ----

def round_trip(run, text):
    from gi.repository import GLib
    service = run.service
    tokens = service.call(run.path, 'Model.Tokenize', '(a{sv}a{sv})', ({'prompt': GLib.Variant('s', text)}, {}))[0][0]
    got = bytes(service.call(run.path, 'Model.Detokenize', '(aua{sv})', (tokens, {}))[0][0])
    return got.decode('utf-8', 'replace').strip() == text.strip()


def quality_validation(run):
    service, prompt = run.service, run.config['prompt']
    service.load(run.path)
    texts = [run.generate(prompt)[1] for _ in range(run.runs)]
    run.check('the likeliest continuation is the same each time', len(set(texts)) == 1)
    run.check('there is text', texts[0].strip() != '')
    run.check('the text is whole UTF-8', '\ufffd' not in texts[0])
    drawn = [run.generate(prompt, temperature=1.0)[1:] for _ in range(2)]
    run.check('seeds are drawn anew', drawn[0][1]['seed'] != drawn[1][1]['seed'])
    again = run.generate(prompt, temperature=1.0, seed=drawn[0][1]['seed'])[1]
    run.check('a seed gives its text again', again == drawn[0][0])
    before, after = add_cached(run)
    run.check('a prompt from the cache gives the same text', before == after)
    for text in (prompt, 'Grüße, Ψυχή, 你好, 🙂', '  two  spaces\n\nand lines'):
        run.check(f'tokens and back: {text[:24]!r}', round_trip(run, text))
    words = texts[0].split()
    if len(words) > 4:
        pairs = list(zip(words, words[1:]))
        run.check('it does not repeat itself without end', len(set(pairs)) * 4 >= len(pairs))
    for what, part in (('accuracy', beside_floats), ('the same prompts beside a peer', beside_peer)):
        try:
            part(run)
        except (Skipped, accuracy.NoFigures, peers.NoPeer) as reason:
            run.left_out.append((what, str(reason)))


def beside_floats(run):
    """What the service's arithmetic costs: the same weights in floats are the reference."""
    program, file = accuracy.find_bench(run.options.bench), model_file(run)
    text = accuracy.read_text(run.config['text'], run.setting('text_characters'))
    found, n = accuracy.measure(program, file, text, run.setting('text_context'), run.service.threads())
    for metric, value in found.items():
        run.add(metric, value)
    for metric, rule in run.config['accuracy'].items():
        bound = f'at least {rule["min"]}' if 'min' in rule else f'at most {rule["max"]}'
        run.check(f'{metric} is {bound}', within(found[metric], rule), f'{found[metric]:.3g}, over {n} positions')


def beside_peer(run):
    """The likeliest continuations of some prompts, as both write them."""
    peer, file, threads = run.find_peer('continuation'), model_file(run), run.service.threads()
    words, n_same, gaps = run.config['prompt'].split(), 0, []
    prompts = [' '.join(words[:len(words) - i]) for i in range(min(run.runs, len(words)))]
    for prompt in prompts:
        tokens = []
        run.service.generate(run.name, prompt, tokens, temperature=0.0, max_tokens=run.tokens,
                             top_logprobs=agreement.N_OTHERS)
        ours = agreement.text_of(tokens)
        theirs = peer.continuation(file, threads, prompt, run.tokens + peers.SPARE_TOKENS)
        run.add('common_prefix_characters', agreement.common(ours, theirs))
        n_same += theirs.startswith(ours)
        if agreement.parted(ours, theirs):
            gaps.append(agreement.gap(tokens, theirs))
    known, tolerated = [gap for gap in gaps if gap is not None], run.config['parting_nats']
    more = f'{n_same} of {len(prompts)} texts are the same'
    if known:
        apart = ', '.join(f'{gap:.2g}' for gap in known)
        more += f'; where they part, ours was likelier by {apart} nats, and {tolerated} are tolerated'
    run.check(f'it writes what {peer.name} writes, or found that nearly as likely', max(known, default=0) <= tolerated, more)
    run.notes.append(f'beside {run.peer}: {more}')


# ---- comparison ----

def model_file(run):
    """The file of the model, for a program that reads it itself."""
    folders = [os.path.expanduser('~/.local/share/woolly/models'), '/usr/share/woolly/models',
               '/usr/local/share/woolly/models', *os.environ.get('WOOLLY_MODEL_PATH', '').split(':')]
    for name in [run.options.model_file] if run.options.model_file else run.facts['Files'][:1]:
        for path in [name] + [os.path.join(folder, name) for folder in folders]:
            if os.path.isfile(path):
                return path
    raise Skipped('where the file of the model lies is not known here: --model-file names it')


def our_speed(run, prompt):
    """Tokens per second as the peer has them, of the tokens that were computed."""
    result = run.generate(prompt)[2]
    computed = result['tokens-in'] - result.get('tokens-cached', 0)
    return {'prefill': computed * 1e6 / max(result['prefill-us'], 1),
            'decode': (result['tokens-out'] - 1) * 1e6 / max(result['decode-us'], 1)}


def comparative(run):
    """Pairs of runs, each first in turn; prefill of the prompt, then tokens, as the peer measures them."""
    peer, file, threads = run.find_peer('speed'), model_file(run), run.service.threads()
    run.service.load(run.path)
    prompt = ' '.join([run.config['prompt']] * 4)
    run.generate(prompt, max_tokens=2)
    n_prompt = run.generate('100. ' + prompt, max_tokens=1)[2]['tokens-in']
    for i in range(run.runs):
        text, pair = f'{i}. ' + prompt, {}
        for who in ('ours', 'theirs') if i % 2 == 0 else ('theirs', 'ours'):
            pair[who] = our_speed(run, text) if who == 'ours' else peer.speed(file, threads, text, n_prompt, run.tokens)
        run.add('tokens_per_second', pair['ours']['decode'])
        for what in ('decode', 'prefill'):
            run.add(what + '_ratio', pair['ours'][what] / pair['theirs'][what])
    run.peer = peers.title(peer)
    for what in ('decode', 'prefill'):
        found = summary(run.samples[what + '_ratio'])
        run.notes.append('{}: {p50:.3g} times the peer\'s ({min:.3g} to {max:.3g}; pairs: {n})'.format(what, **found))
    run.notes.append(f'beside {run.peer}, {threads} threads each: {peer.note}')


TESTS = {test.__name__: test for test in (inference_speed, resource_utilization, model_loading, quality_validation,
                                          comparative)}
