# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes tests/data/templates/constructs.txt: small templates, and what Jinja2 renders with the settings of transformers.

Usage: python3 make-templates.py > ../data/templates/constructs.txt   (needs jinja2; run by hand when a case is added)

Cases are separated by a line of "=", a template from its result by a line of "-"; "!" as result: rendering fails.
The messages are those of test-chat-template.c.
"""
import jinja2
import jinja2.ext
import jinja2.sandbox

MESSAGES = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": " What is <|user|>? \n"},
    {"role": "assistant", "content": "Nöthing </s>"},
    {"role": "user", "content": "Grüße & \"tabs\"\t"},
]

CASES = [
    # the bundled model's
    "{% for m in messages %}{% if m.role == 'user' %}{{ '<|user|>' + m.content }}{% elif m.role == 'assistant' %}"
    "{{ '<|assistant|>' + m.content + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
    # white space
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%+ if true +%}\n  b\n  {%- endif -%}\n\n  c\n\n",
    "x {{- ' y ' -}} z {# note #}\n{#- note -#} w",
    "  {# first #}\n  {% set a = 1 %}\n\t{{ a }}\n",
    "{% raw %}{{ not }} {% this %}{% endraw %}|{%- raw -%}  a  {%- endraw -%} b",
    "a\r\nb\rc",
    # literals and operators
    "{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 % 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 1.5 + 1 }}",
    "{{ 'a' ~ 1 ~ true ~ none }} {{ \"q'\" 'u' }} {{ '\\n\\t\\\\\\u00e9' }} {{ 'ab' * 3 }}",
    "{{ 1 < 2 }} {{ 'a' >= 'b' }} {{ 1 == 1.0 }} {{ 'x' != 'y' }} {{ not 1 }} {{ 1 and 0 }} {{ '' or 'z' }}",
    "{{ 'er' in 'terse' }} {{ 3 in [1, 2] }} {{ 'a' not in {'a': 1} }} {{ 'k' in undefined_name }}",
    "{{ 'yes' if messages|length > 2 else 'no' }} {{ 'x' if false }}|",
    "{{ (1, 2)[1] }} {{ [1, [2, 3]][1][0] }} {{ {'a': {'b': 5}}.a.b }} {{ {'a': 1}['a'] }} {{ [1][5] }}|",
    "{{ not x is defined }} {{ true and not false or false }} {{ 1 + 1 == 2 and 'b' }}",
    # for
    "{% for x in [3, 4, 5] %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}"
    "{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
    "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for x in [1, 2, 3, 4] if x is even %}{{ x }}/{{ loop.length }} {% else %}none{% endfor %}",
    "{% for x in [] %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in range(6) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% set a = 1 %}{% for x in [1, 2] %}{% set a = a + x %}{{ a }} {% endfor %}{{ a }}",
    "{% for c in 'hé!' %}[{{ c }}]{% endfor %}",
    "{% for x in [1, 2] %}{% for y in [3] %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }};{% endfor %}",
    # if, set
    "{% if messages[0].role == 'user' %}u{% elif messages[0]['role'] == 'system' %}s{% else %}e{% endif %}",
    "{% set ns = namespace(n=0, t='') %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set ns.t = ns.t + m.role[0] %}"
    "{% endfor %}{{ ns.n }}{{ ns.t }}",
    "{% set a, b = 1, 'two' %}{{ a }}{{ b }}{% set block %}<{{ a }}>{% endset %}{{ block }}",
    # items and slices
    "{{ messages[-1].role }} {{ messages[1:3]|length }} {{ messages[::-1][0].content }}",
    "{{ 'Grüße'[1:4] }} {{ 'Grüße'[-2:] }} {{ 'Grüße'[::2] }} {{ 'Grüße'[::-1] }} {{ [1, 2, 3][:-1]|join('') }} {{ 'abc'[5:] }}|",
    # filters
    "[{{ messages[1].content | trim }}] {{ 'a,b'|upper }} {{ 'ÄB'|lower }} {{ 'hello world'|title }} {{ 'hELLO'|capitalize }}",
    "{{ [1, 2]|join('-') }} {{ messages|map(attribute='role')|join(',') }} {{ ['a', 'B']|map('upper')|join }}",
    "{{ messages|selectattr('role', 'equalto', 'user')|list|length }} {{ messages|rejectattr('role', '==', 'user')|map(attribute='role')|join(' ') }}",
    "{{ nothing|default('d') }} {{ ''|default('e', true) }} {{ 'x'|default('y') }} {{ '42'|int + 1 }} {{ 3.9|int }} {{ 12|string + '!' }}",
    "{{ [3, 1]|first }} {{ [3, 1]|last }} {{ 'aXbX'|replace('X', '--') }} {{ [1, 2, 3]|select('odd')|list|length }}",
    "{{ messages[3]|tojson }} {{ [1, 1.5, true, none, {}, []]|tojson }}",
    "{{ {'a': [1, {'b': 'c'}], 'd': {}}|tojson(indent=2) }}",
    # methods
    "[{{ '  x '.strip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ '\\n a'.lstrip() }}] [{{ 'a!!'.rstrip('!') }}]",
    "{{ 'a</think>b</think>c'.split('</think>')[-1] }} {{ ' a  b '.split()|length }} {{ 'a.b.c'.split('.', 1)|join('|') }}",
    "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith('bc') }} {{ 'aa'.replace('a', 'bb') }} {{ 'Ab'.upper() }}{{ 'Ab'.lower() }}",
    "{{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b', 'c') }} {{ {'x': 1, 'y': 2}.keys()|join(',') }} {{ {'x': 1}.values()|list|first }}",
    # tests
    "{{ x is defined }} {{ messages is defined }} {{ none is none }} {{ 1 is number }} {{ 'a' is string }} {{ {} is mapping }}"
    " {{ [] is sequence }} {{ [] is iterable }} {{ true is boolean }} {{ false is false }} {{ 4 is divisibleby 2 }} {{ 3 is odd }}",
    "{{ 1 is not none }} {{ 2 is eq 2 }} {{ 'a' is in ['a'] }} {{ messages[0].name is not defined }}",
    # other
    "{% generation %}{{ bos_token }}{% endgeneration %}{{ undefined_name }}|{{ none }}",
    "{{ 1.0 }} {{ 0.1 + 0.2 }} {{ 1e20 }} {{ 100000000 * 10 }}",
    # failures
    "{{ raise_exception('no') }}",
    "{{ undefined_name.attribute }}",
    "{{ 'a' + 1 }}",
    "{{ 1 // 0 }}",
    "{{ [1] < 2 }}",
    "{{ undefined_name() }}",
    "{% for x in 5 %}{% endfor %}",
    "{% if true %}",
    "{% endif %}",
    "{{ 'open",
    "{{ 1 + }}",
    "{{ {'a':} }}",
    "{{ 1 | nofilter }}",
    "{% set x = %}",
    "{# open",
]


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def raise_exception(message):
    raise jinja2.TemplateError(message)


def render(source):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = lambda value, indent=None: __import__("json").dumps(
        value, ensure_ascii=False, indent=indent)
    environment.globals["raise_exception"] = raise_exception
    try:
        return environment.from_string(source).render(
            messages=MESSAGES, bos_token="<s>", eos_token="</s>", add_generation_prompt=True)
    except Exception:  # whatever Jinja2 or Python says: it fails
        return "!"


def main():
    print("\n=\n".join(case.replace("\r", "␍") + "\n-\n" + render(case) for case in CASES), end="")


main()
