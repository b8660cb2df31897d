# SPDX-License-Identifier: LGPL-2.1-or-later
"""How far the service's arithmetic takes a model from what its weights say: woolly-bench kld over a text."""
import json
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = ('mean_kld', 'p99_kld', 'top1', 'ppl', 'ppl_reference')  # as woolly-bench calls them


class NoFigures(Exception):
    """It cannot be measured here; the text says why."""


def find_bench(program):
    found = shutil.which(program or 'woolly-bench')
    if found is None:
        raise NoFigures(f'{program} cannot be run' if program else 'woolly-bench is not on the PATH: --bench names one')
    return found


def read_text(name, n_characters):
    """A file beside this one, or with its whole path; its beginning."""
    try:
        with open(os.path.join(HERE, name), encoding='utf-8') as file:
            return file.read(n_characters)
    except (OSError, ValueError) as error:
        raise NoFigures(f'the text cannot be read: {error}') from error


def measure(program, model, text, context, threads):
    """The figures by their names, and how many positions were scored."""
    with tempfile.NamedTemporaryFile('w', encoding='utf-8', suffix='.txt') as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, 'kld', '-m', model, '--reference', 'self', '--text', file.name, '-c',
                               str(context), '-t', str(threads), '--json'], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoFigures('woolly-bench failed: ' + done.stderr.strip()[-300:])
    found = json.loads(done.stdout)
    return {name: found[name] for name in FIGURES}, found['positions']
