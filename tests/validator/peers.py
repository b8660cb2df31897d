# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other engines on this machine: llama-bench and llama-completion of the PATH, and the package node-llama-cpp of npm.

Each run is a process of its own, computes on the processor alone, and with as many threads as it is told.
"""
import json
import os
import re
import shutil
import subprocess

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'peer.mjs')
PACKAGE = 'node-llama-cpp'
LONG_S = 3600
SPARE_TOKENS = 8  # to be asked for beyond those that are compared: the program may write one less, in other pieces
SPARE_POSITIONS = 16
PROGRAMS = {'speed': 'llama-bench', 'continuation': 'llama-completion'}
MARK_OF_END = '[end of text]'


class NoPeer(Exception):
    """There is none, or it cannot do this; the text says why."""


def run_program(command, text='', environment=None):
    """@text is what it reads."""
    try:
        return subprocess.run(command, input=text, capture_output=True, encoding='utf-8', errors='replace', check=False,
                              timeout=LONG_S, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeer(f'{os.path.basename(command[0])}: {error}') from error


def output_of(command, text='', environment=None):
    """What it writes, where it says that it went well."""
    done = run_program(command, text, environment)
    if done.returncode != 0:
        raise NoPeer(f'{os.path.basename(command[0])} failed: ' + done.stderr.strip()[-300:])
    return done.stdout


class OnPath:
    """A program of the PATH for each ability."""
    note = 'its prompt is computed without sampling, ours with the first token and over the bus'

    def __init__(self, ability, _folder=None):
        self.name = PROGRAMS[ability]
        self.program = shutil.which(self.name)
        if self.program is None:
            raise NoPeer(f'{self.name} is not on the PATH')
        commit = re.search(r'^version:.*\b([0-9a-f]{7,40})\)', self.told('--version'), re.MULTILINE)
        self.version = commit.group(1) if commit else ''
        self.on_processor = ['-dev', 'none'] if re.search(r'-dev\b', self.told('--help')) else ['-ngl', '0']

    def told(self, option):
        done = run_program([self.program, option])
        return done.stdout + done.stderr

    def command(self, file, threads, *more):
        return [self.program, '-m', file, '-t', str(threads), *self.on_processor, *more]

    def rate(self, file, threads, *test):
        text = output_of(self.command(file, threads, '-r', '1', '-o', 'json', *test))
        try:
            found = json.loads(text)[-1]
            self.version = found.get('build_commit', self.version)
            rate = float(found['avg_ts'])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise NoPeer(f'{self.name} printed no figure: {text.strip()[-100:]}') from error
        if rate <= 0:
            raise NoPeer(f'{self.name} printed {rate} tokens per second')
        return rate

    def speed(self, file, threads, _prompt, n_prompt, n_tokens):
        """Tokens per second; the program draws a prompt of its own, as long as ours, and tokens."""
        return {'prefill': self.rate(file, threads, '-p', str(n_prompt), '-n', '0'),
                'decode': self.rate(file, threads, '-p', '0', '-n', str(n_tokens))}

    def continuation(self, file, threads, prompt, n_tokens):
        """The likeliest text behind the prompt."""
        n_most = len(prompt.encode()) + n_tokens + SPARE_POSITIONS  # no token is shorter than a byte
        text = output_of(self.command(file, threads, '-p', prompt, '--no-escape', '-n', str(n_tokens), '-c', str(n_most),
                                      '--temp', '0', '-no-cnv', '--no-display-prompt', '--no-warmup', '--simple-io'))
        return text.rstrip().removesuffix(MARK_OF_END).rstrip()


class OfNpm:
    """node-llama-cpp: in a folder that is named, or where node finds packages: here, in NODE_PATH, and those of all."""
    note = 'both with the first token, and with all tokens taken; ours go over the bus'

    def __init__(self, _ability, folder=None):
        self.name = PACKAGE
        self.environment = dict(os.environ)
        self.node = shutil.which('node')
        if self.node is None:
            raise NoPeer(f'there is no node for {PACKAGE}')
        if folder:
            self.environment.pop('NODE_PATH', None)
        folders = [os.path.abspath(folder)] if folder else [os.getcwd(), *self.global_folder()]
        found = self.ask(what='find', folders=folders)
        self.package, self.version = found['package'], found['version']

    @staticmethod
    def global_folder():
        npm = shutil.which('npm')
        try:
            return [output_of([npm, 'root', '--global']).strip()] if npm else []
        except NoPeer:
            return []

    def ask(self, **request):
        text = output_of([self.node, SCRIPT], json.dumps(request), self.environment)
        try:
            return json.loads(text.splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise NoPeer(f'{PACKAGE} gave no answer: {text.strip()[-100:]}') from error

    def speed(self, file, threads, prompt, _n_prompt, n_tokens):
        """Tokens per second of the same prompt and of what follows."""
        found = self.ask(what='speed', package=self.package, file=file, threads=threads, prompt=prompt, tokens=n_tokens)
        if not found['prefill'] or not found['decode']:
            raise NoPeer(f'{PACKAGE} measured nothing with {n_tokens} tokens')
        return found

    def continuation(self, file, threads, prompt, n_tokens):
        """The likeliest text behind the prompt."""
        return self.ask(what='continuation', package=self.package, file=file, threads=threads, prompt=prompt,
                        tokens=n_tokens)['text']


KINDS = {'path': OnPath, 'npm': OfNpm}


def find(ability, kind=None, folder=None):
    """The first one that can do it, of all kinds or of one; a folder is one of npm."""
    reasons = []
    for name in [kind or 'npm'] if kind or folder else KINDS:
        try:
            return KINDS[name](ability, folder)
        except NoPeer as reason:
            reasons.append(str(reason))
    raise NoPeer('there is no peer: ' + '; '.join(reasons))


def title(peer):
    return f'{peer.name} {peer.version}'.strip()
