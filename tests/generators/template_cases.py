# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random templates with a fixed seed, and what Jinja2 makes of them with the settings of transformers.

Usage: python3 template_cases.py SEED COUNT > ../data/templates/generated.json   (needs jinja2; run by hand)

A list of objects: template, input, and output (a text, or null where rendering fails).  tests/conformance/test_templates.py
compares those, and makes others where Jinja2 is there.
"""
import datetime
import json
import random
import sys

INPUT = {
    'messages': [
        {'role': 'system', 'content': 'You are terse.'},
        {'role': 'user', 'content': ' Grüße & "quotes" <|im_end|>\n'},
        {'role': 'assistant', 'content': None, 'tool_calls': [{'id': 'a1', 'n': 3}]},
        {'role': 'user', 'content': [{'type': 'text', 'text': 'नमस्ते'}, {'type': 'text', 'text': "it's"}]},
    ],
    'numbers': [3, -1, 2, 2.5, 0],
    'words': ['pear', 'Apple', 'fig', 'apple', ''],
    'tree': {'b': {'x': 1, 'y': [1, 2]}, 'a': 'ß', 'items': 7, 'k_1': None, 'on': True},
    'text': '  Ein Satz, mit ÄÖÜ und 漢字.\n\tZweite Zeile\r\n',
    'n': 7, 'f': 0.1, 'yes': True, 'nothing': None, 'bos_token': '<s>',
}

NAMES = ['messages', 'numbers', 'words', 'tree', 'text', 'n', 'f', 'yes', 'nothing', 'missing', 'bos_token', 'messages[1]',
         'messages[2].tool_calls', 'tree.b', 'tree.on', "tree['a']", 'words[1]', 'numbers[-1]', 'text[3:9]', 'words[::-1]',
         'messages[-1].content', 'tree.b.y', 'numbers[1:]']
ATOMS = ['1', '0', '-3', '2.50', '1e3', "'a'", "'Ab c'", '"x\\n\'"', "''", '[]', '{}', '()', 'true', 'none', "'ñandú ß'", '[1, 2]',
         "('a', 1)", "{'k': [1, 'v'], 2: none}", "'%s'", "'{}'", 'range(4)', "'a,b,,c'", '1.0', '1000', '1.5e-7', "'12'", "' 3.9 '"]
FILTERS = ['abs', 'capitalize', 'center(9)', 'count', "default('d')", "default('d', true)", 'dictsort', 'escape', 'e', 'first', 'float',
           'forceescape', "format(1, 'b')", 'indent', 'indent(2, true)', "indent('> ')", 'int', 'int(5)', 'int(default=2, base=16)', 'items|list',
           'join', "join(', ')", "join('-', 'role')", 'last', 'length', 'list', 'lower', "map('upper')|list", "map(attribute='role')|list",
           "map('length')|list", "map(attribute='x', default=0)|list", 'max', 'min', "reject('none')|list", "rejectattr('role', 'eq', 'user')|list",
           "replace('a', 'ä')", "replace('', '-')", "replace('e', 'E', 1)", 'reverse|list', 'round', 'round(1)', "round(2, 'ceil')", "round(0, 'floor')",
           'safe', "select('string')|list", "select('odd')|list", 'select|list', "selectattr('content')|list", "selectattr('role', 'in', ['user'])|list",
           'slice(2)|list', 'batch(2)|list', "batch(3, 'z')|list", 'sort', 'sort(reverse=true)', 'sort(case_sensitive=true)', "sort(attribute='role')",
           'string', 'sum', "sum(start=2)", 'title', 'tojson', 'tojson(indent=2)', 'tojson(ensure_ascii=true)', "tojson(separators=(',', ':'))",
           'tojson(sort_keys=true)', 'trim', "trim('.\\n')", 'truncate(9)', "truncate(12, true, '…', 0)", 'unique|list', 'upper', 'urlencode', 'wordcount',
           "groupby('role')", "attr('upper')", 'd', 'string|length', "map('int')|list", "map('default', 'q')|list"]
METHODS = ['upper()', 'lower()', 'title()', 'capitalize()', 'swapcase()', 'strip()', "lstrip(' E')", 'rstrip()', 'split()', "split(',')", "split('e', 1)",
           "rsplit(' ', 1)", 'split(none, 1)', 'splitlines()', 'splitlines(true)', "startswith('E')", "endswith(('.', '\\n'))", "replace('e', '')", "find('i')",
           "rfind('e', 2, -2)", "count('e')", "index('e')", "partition(' ')", "rpartition(',')", "removeprefix('a')", "removesuffix('c')", 'ljust(8)', "rjust(8, '*')",
           'center(9)', 'zfill(6)', 'isdigit()', 'isalpha()', 'isupper()', 'islower()', 'isspace()', 'istitle()', 'isalnum()', "format(n, f)", 'items()', 'keys()',
           'values()', "get('a')", "get('zz', 3)", "index(1)", "count(2)", 'copy()', "join(words)", 'append(1)', 'update({})', 'nope()', 'expandtabs(4)', 'a', 'x',
           '__class__', 'b.x']
TESTS = ['defined', 'undefined', 'none', 'not none', 'string', 'number', 'integer', 'float', 'boolean', 'mapping', 'sequence', 'iterable', 'callable', 'true', 'false',
         'odd', 'even', 'divisibleby 3', 'divisibleby(2)', 'eq 1', 'ne "a"', 'gt 2', 'lt(5)', 'in [1, 2, "a"]', 'sameas true', 'lower', 'upper', 'escaped', 'filter', 'test',
         "ge 'a'", 'not defined', 'not in words']
SIGNS = ['+', '-', '*', '/', '//', '%', '**', '~', '==', '!=', '<', '<=', '>', '>=', 'and', 'or', 'in', 'not in']
SPECS = ['%d', '%5.2f', '%-6s|', '%05d', '%x', '%+d', '%%', '%s %s', '%(a)s', '%r', '%e', '%g', '%3d%%']
BRACES = ['{}', '{0}{1}', '{:>6}', '{:05.1f}', '{:,}', '{!r}', '{:x}', '{:^7}|', '{{}}{}', '{:+}', '{:.3}', '{n}', '{:%}', '{:e}', '{:_}']


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def expression(self, depth):
        r = self.random
        if depth <= 0:
            return r.choice(NAMES if r.random() < 0.55 else ATOMS)
        inner = lambda: self.expression(depth - 1 - r.randrange(2))
        kind = r.randrange(14)
        if kind < 4:
            return f'{inner()}|{r.choice(FILTERS)}' if r.random() < 0.5 else f'({inner()})|{r.choice(FILTERS)}'
        if kind < 6:
            return f'({inner()}).{r.choice(METHODS)}'
        if kind < 8:
            return f'({inner()}) is {r.choice(TESTS)}'
        if kind < 11:
            left, right = inner(), inner()
            return f'({left}) {r.choice(SIGNS)} ({right})' if r.random() < 0.6 else f'{left} {r.choice(SIGNS)} {right}'
        return r.choice([
            lambda: f'({inner()} if {inner()} else {inner()})',
            lambda: f'({inner()} if {inner()})',
            lambda: f'not {inner()}',
            lambda: f'({r.choice(NAMES)})[{r.choice(["0", "-1", "1:", ":2", "::-1", "1:3", "9", chr(39) + "a" + chr(39), "::2", "-2:"])}]',
            lambda: f'[{inner()}, {inner()}]',
            lambda: f'({inner()}, {inner()})',
            lambda: f"{{'a': {inner()}, 'b': {inner()}}}",
            lambda: f'-({inner()})',
            lambda: f"'{r.choice(SPECS)}' % ({inner()}{', ' + inner() if r.random() < 0.3 else ''})",
            lambda: f"'{r.choice(BRACES)}'.format({inner()}, n={inner()})",
            lambda: f'{inner()} < {inner()} <= {inner()}',
            lambda: f'dict(a={inner()})',
        ])()

    def statement(self, depth):
        r = self.random
        name = self.pick('x', 'y', 'ns.v', 'z')
        if depth <= 0:
            return self.pick('text', ' ', '\n', '  \n', '{# note #}', '\t') if r.random() < 0.3 else self.output()
        body = lambda: ''.join(self.statement(depth - 1 - r.randrange(2)) for _ in range(r.randrange(1, 3)))
        tag = lambda text: '{%' + self.pick('', '-', ' ', '+') + f' {text} ' + self.pick('', '-', '', '+') + '%}' + self.pick('', '\n', '  ')
        e = lambda: self.expression(2)
        return r.choice([
            lambda: tag(f'if {e()}') + body() + (tag(f'elif {e()}') + body() if r.random() < 0.3 else '') + (tag('else') + body() if r.random() < 0.5 else '') + tag('endif'),
            lambda: tag(f'for x in {e()}') + body() + '{{ loop.index ~ loop.last }}' + (tag('else') + body() if r.random() < 0.3 else '') + tag('endfor'),
            lambda: tag(f'for k, v in {self.pick("tree.items()", "tree|items", "tree|dictsort", "[(1, 2)]", e())}') + '{{ k }}' + body() + tag('endfor'),
            lambda: tag(f'for x in {self.pick("words", "numbers", "messages")} if {e()}') + body() + self.pick('', tag('break'), tag('continue'), '{{ loop.cycle(1, 2) }}', '{{ loop.previtem }}',
                                                                                                       '{{ loop.changed(x) }}') + tag('endfor'),
            lambda: tag(f'set {name} = {e()}') + '{{ x }}',
            lambda: tag('set x' + self.pick('', ' | upper', ' | trim')) + body() + tag('endset') + '[{{ x }}]',
            lambda: tag('set ns = namespace(v=1)') + body() + '{{ ns.v }}',
            lambda: tag(f'macro m(a, b={e()})') + '{{ a }}{{ b }}' + body() + tag('endmacro') + self.pick('{{ m(1) }}', '{{ m() }}', '{{ m(b=2, a=words) }}', '{{ m(1, 2, 3) }}', '{{ m(*[1, 2]) }}',
                                                                                                        '{{ m(c=1) }}'),
            lambda: tag('macro c(a)') + '<{{ caller(a) }}>' + tag('endmacro') + tag('call(y) c(3)') + '{{ y }}' + body() + tag('endcall'),
            lambda: tag(f'with x = {e()}, y = 2') + body() + '{{ x }}{{ y }}' + tag('endwith'),
            lambda: tag('filter ' + self.pick('upper', 'trim', 'indent', 'length')) + body() + tag('endfilter'),
            lambda: tag('generation') + body() + tag('endgeneration'),
            lambda: tag('raw') + '{{ x }}' + tag('endraw'),
            lambda: self.output(),
        ])()

    def output(self):
        return '{{' + self.pick('', '-') + ' ' + self.expression(3) + ' ' + self.pick('', '-') + '}}'

    def template(self):
        if self.random.random() < 0.6:
            return '{{ ' + self.expression(3) + ' }}'
        return self.pick('', ' ', '\n') + ''.join(self.statement(3) for _ in range(self.random.randrange(1, 4)))


def environment():
    import jinja2
    import jinja2.ext
    import jinja2.sandbox

    class Generation(jinja2.ext.Extension):
        tags = {'generation'}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(['name:endgeneration'], drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method('write'), [], [], body).set_lineno(line)

        def write(self, caller):
            return caller()

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    result = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    result.filters['tojson'] = tojson
    result.globals['raise_exception'] = raise_exception
    result.globals['strftime_now'] = datetime.datetime(2026, 11, 22, 9, 30).strftime
    return result


def render(jinja, template, variables):
    """The text; None where Jinja2 or Python refuses, whatever they say."""
    variables = json.loads(json.dumps(variables))  # indent adds to lists that it is given
    try:
        return jinja.from_string(template).render(**variables)
    except Exception:
        return None


def hangs_on_more(output):
    """Whether it shows what only CPython has: addresses, integers without end, its own limits."""
    return output is not None and ('0x' in output or 'built-in' in output or 't-in' in output or ' of dict' in output or "'0', 'x'" in output or 'object at' in output or len(output) > 20000)


def make(seed, count):
    maker, jinja, cases = Maker(seed), environment(), []
    while len(cases) < count:
        template = maker.template()
        output = render(jinja, template, INPUT)
        if output is None and maker.random.random() < 0.9:
            continue  # most random templates fail; some will do
        if not hangs_on_more(output):
            cases.append({'template': template, 'input': INPUT, 'output': output})
    return cases


if __name__ == '__main__':
    made = make(int(sys.argv[1]), int(sys.argv[2]))
    json.dump([{'template': case['template'], 'output': case['output']} for case in made], sys.stdout, ensure_ascii=False, indent=0)
    print()
