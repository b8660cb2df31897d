#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the service over D-Bus, as an app sees it, and compares with gates and with earlier runs.

Exit status: 0 all is well, 1 a gate or a check does not hold, 2 the command line makes no sense, 3 something became worse
than it was, 4 it could not be measured, 77 the test cannot be run here.
"""
import argparse
import datetime
import json
import os
import sys

from gi.repository import GLib

import history
import report
from accuracy import FIGURES
from measures import METRICS, TESTS, Run, Skipped, summary, within
from peers import KINDS, NoPeer
from service import NoService, Service

HERE = os.path.dirname(os.path.abspath(__file__))
PASSED, FAILED, USAGE, REGRESSED, BROKEN, SKIPPED = 0, 1, 2, 3, 4, 77


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--test', required=True, choices=TESTS)
    parser.add_argument('--model', default='', help='id of a model; the default model where it is not given')
    parser.add_argument('--model-file', help='its file, for a peer that reads it itself, and for a service of our own')
    parser.add_argument('--bench', metavar='PROGRAM', help='the woolly-bench that measures accuracy; that of the PATH')
    parser.add_argument('--peer', choices=KINDS, help='what to compare with: llama-bench and llama-completion of the path,'
                        ' or node-llama-cpp of npm; the first one that is there')
    parser.add_argument('--peer-folder', metavar='FOLDER', help='where node finds node-llama-cpp; it is the peer then')
    parser.add_argument('--quick', action='store_true', help='few and short runs')
    parser.add_argument('--gate', action='append', default=[], metavar='NAME', help='a gate that must hold; may be given again')
    parser.add_argument('--config', default=os.path.join(HERE, 'gates.json'), metavar='FILE', help='gates and settings, JSON')
    parser.add_argument('--history', default=history.default_path(), metavar='FILE', help='earlier runs, a line of JSON each')
    parser.add_argument('--output', default='.', metavar='FOLDER', help='for TEST.json and TEST.html')
    parser.add_argument('--daemon', metavar='PROGRAM', help='the woollyd to start where none runs')
    parser.add_argument('--private', action='store_true', help='start one in any case, on a bus of its own')
    return parser.parse_args()


def read_config(path):
    """The file, on top of what stands in gates.json."""
    with open(os.path.join(HERE, 'gates.json'), encoding='utf-8') as file:
        config = json.load(file)
    with open(path, encoding='utf-8') as file:
        config.update(json.load(file))
    return config


def check_gates(config, names):
    """Whether these gates, and the bounds of accuracy, can be: a message where not."""
    for name in names:
        gate = config['gates'].get(name)
        if gate is None:
            return f'there is no gate “{name}”; there are {", ".join(config["gates"])}'
        for metric, rule in gate.items():
            if metric not in METRICS or ('min' in rule) == ('max' in rule):
                return f'gate “{name}”: {metric} is no metric, or has not one of min and max'
    for metric, rule in config['accuracy'].items():
        if metric not in FIGURES or ('min' in rule) == ('max' in rule):
            return f'accuracy: {metric} is none of {", ".join(FIGURES)}, or has not one of min and max'
    return None


def judge(config, names, metrics):
    found = []
    for name in names:
        for metric, rule in config['gates'][name].items():
            value = metrics.get(metric, {}).get(rule.get('of', 'p50'))
            found.append({'name': name, 'metric': metric, 'value': value, 'holds': within(value, rule),
                          'of': rule.get('of', 'p50'), **{key: rule[key] for key in ('min', 'max') if key in rule}})
    return found


def machine():
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            names = [line.split(':', 1)[1].strip() for line in file if line.startswith('model name')]
    except OSError:
        names = []
    return f'{names[0] if names else os.uname().machine}, {os.cpu_count()} cores'


def execute(options, config, service):
    """(result, samples, traces); status is to be judged yet."""
    model = service.model(options.model)
    run = Run(service, model, config, options)
    status = 'passed'
    try:
        TESTS[options.test](run)
    except (Skipped, NoPeer) as reason:
        status = 'skipped'
        run.notes.append(str(reason))
    result = {
        'test': options.test, 'status': status, 'quick': options.quick, 'model': run.name, 'machine': machine(),
        'time': datetime.datetime.now().astimezone().isoformat(timespec='seconds'), 'version': service.version,
        'device': service.get(model, 'Model', 'Device'), 'peer': run.peer, 'notes': run.notes,
        'metrics': {metric: summary(samples) for metric, samples in run.samples.items()},
        'checks': [{'what': what, 'holds': holds, 'more': more} for what, holds, more in run.checks],
        'left_out': [{'what': what, 'why': why} for what, why in run.left_out],
        'gates': [], 'regressions': [],
    }
    return result, run.samples, run.traces


def conclude(options, config, result):
    """Gates, history, status; earlier medians of each metric."""
    entry = {key: result[key] for key in ('test', 'model', 'machine', 'quick', 'peer', 'time', 'version', 'metrics')}
    past = history.comparable(history.read(options.history), entry)
    if result['status'] != 'skipped':
        result['gates'] = judge(config, options.gate, result['metrics'])
        result['regressions'] = history.regressions(past, entry, config['regression'])
        history.append(options.history, entry)
        if not all(row['holds'] for row in result['gates'] + result['checks']):
            result['status'] = 'failed'
        elif result['regressions']:
            result['status'] = 'regressed'
    return {metric: history.medians(past, metric)[-50:] for metric in result['metrics']}


def print_summary(result):
    print(f'{result["test"]}: {result["status"]} ({result["model"]})')
    for metric, found in result['metrics'].items():
        figures = ', '.join(f'{key} {report.number(found[key])}' for key in ('p50', 'p90', 'p99'))
        print(f'  {metric}: {figures} {METRICS[metric][0]}')
    for check in result['checks']:
        if not check['holds']:
            print(f'  does not hold: {check["what"]} {check["more"]}')
    for part in result['left_out']:
        print(f'  left out: {part["what"]}: {part["why"]}')
    for gate in result['gates']:
        print(f'  gate {gate["name"]}: {"holds" if gate["holds"] else "does not hold"} ({gate["metric"]})')
    for alert in result['regressions']:
        print(f'  REGRESSION: {alert["metric"]} {report.number(alert["now"])}, was {report.number(alert["usual"])}'
              f' ({alert["change"] * 100:+.0f} %)')
    for note in result['notes']:
        print(f'  {note}')


def write(options, result, page):
    os.makedirs(options.output, exist_ok=True)
    for ending, text in (('json', json.dumps(result, indent=2) + '\n'), ('html', page)):
        with open(os.path.join(options.output, f'{options.test}.{ending}'), 'w', encoding='utf-8') as file:
            file.write(text)


def main():
    options = arguments()
    try:
        config = read_config(options.config)
    except (OSError, ValueError) as error:
        print(f'run_validation: {options.config}: {error}', file=sys.stderr)
        return USAGE
    wrong = check_gates(config, options.gate)
    if wrong is not None:
        print(f'run_validation: {wrong}', file=sys.stderr)
        return USAGE
    service = None
    try:
        models = [os.path.abspath(options.model_file)] if options.model_file else []
        service = Service(options.daemon, models, options.private)
        result, samples, traces = execute(options, config, service)
    except (NoService, RuntimeError, GLib.Error) as error:
        print(f'run_validation: {getattr(error, "message", error)}', file=sys.stderr)
        return BROKEN
    finally:
        if service is not None:
            service.close()
    past = conclude(options, config, result)
    write(options, result, report.page(result, samples, traces, past))
    print_summary(result)
    return {'passed': PASSED, 'failed': FAILED, 'regressed': REGRESSED, 'skipped': SKIPPED}[result['status']]


if __name__ == '__main__':
    sys.exit(main())
