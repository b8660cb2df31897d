# SPDX-License-Identifier: LGPL-2.1-or-later
"""What earlier runs found: a file with a line of JSON for each, and what has become worse since."""
import json
import os

from measures import METRICS, rank

SAME = ('test', 'model', 'machine', 'quick', 'peer')  # what makes two runs comparable


def default_path():
    state = os.environ.get('XDG_STATE_HOME') or os.path.expanduser('~/.local/state')
    return os.path.join(state, 'woolly', 'validation.jsonl')


def read(path):
    """All entries; a line that is none, as of a run that was cut off, is left out."""
    try:
        with open(path, encoding='utf-8') as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get('metrics'), dict):
            entries.append(entry)
    return entries


def append(path, entry):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'a', encoding='utf-8') as file:
        file.write(json.dumps(entry, sort_keys=True) + '\n')


def comparable(entries, entry):
    return [old for old in entries if all(old.get(key, '') == entry.get(key, '') for key in SAME)]


def medians(entries, metric):
    return [old['metrics'][metric]['p50'] for old in entries
            if isinstance(old['metrics'].get(metric, {}).get('p50'), (int, float))]


def regressions(entries, entry, rules):
    """Metrics that are worse than the median of the last comparable runs by more than is tolerated."""
    alerts = []
    for metric, now in entry['metrics'].items():
        before = medians(entries, metric)[-rules['history']:]
        more_is_better = METRICS[metric][1]
        if len(before) < rules['at_least'] or more_is_better is None:
            continue
        usual = rank(before, 50)
        change = (now['p50'] - usual) / usual if usual else 0
        if (-change if more_is_better else change) > rules['tolerance']:
            alerts.append({'metric': metric, 'usual': usual, 'now': now['p50'], 'change': change, 'runs': len(before)})
    return alerts
