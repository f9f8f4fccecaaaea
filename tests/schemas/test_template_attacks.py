"""Attacks on imported templates, by name, from published lists: none reaches an object or a file, each ends fast.

PortSwigger's and PayloadsAllTheThings' lists for Jinja2 SSTI, HackTricks' for Python format strings, the sandbox
escapes of CVE-2016-10745, CVE-2019-10906, CVE-2024-56201, CVE-2024-56326 and CVE-2025-27516.
"""

from __future__ import annotations

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.runtime.prompts import fill_in
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.syntaxes import f_string, jinja
from llm_admin.schemas.syntaxes.jinja.limits import MOST_CHARACTERS

VALUES = {
    "x": "planted", "n": 3, "items": ["a", "b"], "data": {"key": "value", "__class__": "a key of theirs"}, "flag": True,
}  # fmt: skip
LEAKS = (
    "<class",
    "<function",
    "<module",
    "<bound",
    "<built-in",
    "object at 0x",
    "root:",
    "test-secret",
    "Popen",
    "__main__",
)

F_STRING = {
    "attribute": "{x.__class__}",
    "attribute of an attribute": "{x.__class__.__mro__}",
    "globals of a function": "{x.__init__.__globals__}",
    "item": "{x[0]}",
    "item by name": "{data[__class__]}",
    "settings": "{x.__class__.__init__.__globals__[settings].SECRET_KEY}",
    "positional": "{0}",
    "positional attribute": "{0.__class__}",
    "automatic": "{}",
    "attribute in the format": "{x:{x.__class__}}",
    "name in the format": "{x:{n}}",
    "wide": "{x:>1000000000}",
    "wide number": "{n:01000000000d}",
    "precise": "{n:.1000000000f}",
    "expression": "{x + n}",
    "call": "{x.upper()}",
    "import": "{__import__('os').system('id')}",
    "unknown conversion": "{x!z}",
    "deep": "{" * 5001 + "}" * 5001,
    "CVE-2016-10745": "{x.__class__.__init__.__globals__[__builtins__]}",
}

JINJA = {
    # objects
    "class": "{{ ''.__class__ }}",
    "mro and subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "base": "{{ [].__class__.__base__.__subclasses__() }}",
    "item access to class": "{{ x['__class__'] }}",
    "item access, joined": "{{ x['__cla' ~ 'ss__'] }}",
    "item access, escaped": "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "attr filter": "{{ x|attr('__class__') }}",
    "attr filter, joined": "{{ x|attr(['__cla','ss__']|join) }}",
    "attr filter, format": "{{ x|attr('%s%s'|format('__cla','ss__')) }}",
    "attr filter, escaped": "{{ x|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "map attribute": "{{ [x]|map(attribute='__class__')|list }}",
    "map attribute, deep": "{{ [x]|map(attribute='__class__.__mro__')|list }}",
    "map attr": "{{ [x]|map('attr', '__class__')|list }}",
    "selectattr": "{{ [x]|selectattr('__class__')|list }}",
    "groupby": "{{ [x]|groupby('__class__') }}",
    "sort by attribute": "{{ [x, x]|sort(attribute='__class__') }}",
    "sum of attribute": "{{ [x]|sum(attribute='__class__') }}",
    "unique by attribute": "{{ [x]|unique(attribute='__class__')|list }}",
    "max of attribute": "{{ [x]|max(attribute='__class__') }}",
    "join by attribute": "{{ [x]|join(attribute='__class__') }}",
    "dictsort": "{{ data.__class__|dictsort }}",
    "first of a class": "{{ (x.__class__,)|first }}",
    "method without a call": "{{ x.upper }}",
    "method as text": "{{ x.upper|string }}",
    "method in a list": "{{ [x.upper] }}",
    "method as JSON": "{{ x.upper|tojson }}",
    "method joined": "{{ [x.upper, x.lower]|join }}",
    "method in a text": "{{ 'a' ~ x.upper }}",
    "globals of a method": "{{ x.upper.__globals__ }}",
    "self of a method": "{{ x.upper.__self__ }}",
    "func of loop": "{% for a in items %}{{ loop.cycle.__func__.__globals__ }}{% endfor %}",
    "loop itself": "{% for a in items %}{{ loop }}{% endfor %}",
    "loop's inside": "{% for a in items %}{{ loop._iterable }}{% endfor %}",
    "loop's class": "{% for a in items %}{{ loop.__class__ }}{% endfor %}",
    # the environment
    "self": "{{ self }}",
    "self's template": "{{ self._TemplateReference__context }}",
    "config": "{{ config.items() }}",
    "request": "{{ request.application.__globals__ }}",
    "settings": "{{ settings.SECRET_KEY }}",
    "debug": "{% debug %}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
    "namespace": "{{ namespace.__init__.__globals__.os.popen('id').read() }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "lipsum, grows": "{{ lipsum(n=100000) }}",
    "url_for": "{{ url_for.__globals__ }}",
    "get_flashed_messages": "{{ get_flashed_messages.__globals__ }}",
    "dict": "{{ dict.mro() }}",
    "context": "{{ context }}",
    "environment": "{{ environment }}",
    "undefined's class": "{{ nothing.__class__ }}",
    "undefined's globals": "{{ nothing.__init__.__globals__ }}",
    "our own budget": "{{ llm_rounds }}",
    "our own filter": "{{ items|llm_counted }}",
    "caller": "{{ caller() }}",
    "varargs": "{% macro m() %}{{ varargs.__class__ }}{% endmacro %}{{ m() }}",
    # files and other templates
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import '/etc/passwd' as p %}{{ p }}",
    "from import": "{% from '/etc/passwd' import x %}",
    "extends": "{% extends '/etc/passwd' %}",
    "open": "{{ open('/etc/passwd').read() }}",
    "read of a file class": "{{ ''.__class__.__mro__[2].__subclasses__()[40]('/etc/passwd').read() }}",
    # known escapes of the sandbox
    "CVE-2016-10745, format": "{{ '{0.__class__}'.format(x) }}",
    "CVE-2019-10906, format_map": "{{ '{x.__class__}'.format_map({'x': x}) }}",
    "CVE-2024-56326, stored format": "{% set f = '{0.__class__}'.format %}{{ f(x) }}",
    "CVE-2024-56326, through a filter": "{{ ['{0.__class__}']|map('format', x)|list }}",
    "CVE-2025-27516, attr of format": "{{ ('{0.__class__}'|attr('format'))(x) }}",
    "CVE-2024-56201, file name": "{% macro m() %}{% endmacro %}{{ m.__code__.co_filename }}",
    "format filter": "{{ '%(x)s'|format(x=x.__class__) }}",
    "percent": "{{ '%1000000000d' % n }}",
    "xmlattr": "{{ {'a': x}|xmlattr }}",
    "do": "{% do x.__class__ %}",
    "set on an object": "{% set data.key = 1 %}",
    "changing a value": "{{ items.append('c') }}",
    "clearing a value": "{{ data.clear() }}",
    "popping": "{{ data.pop('key') }}",
    "call block": "{% call x() %}{% endcall %}",
    "filter block": "{% filter upper %}{{ x.__class__ }}{% endfilter %}",
    "test by name": "{{ x is filter('__class__') }}",
    "callable test": "{% if x.__class__ is callable %}{{ x.__class__ }}{% endif %}",
}

BOMBS = {
    "range": "{% for i in range(1000000000) %}x{% endfor %}",
    "nested loops": "{% for a in items %}" * 25 + "x" + "{% endfor %}" * 25,
    "power": "{{ 9**9**9**9 }}",
    "times a text": "{{ 'x' * 1000000000 }}",
    "times a list": "{{ ['x'] * 1000000000 }}",
    "doubling with +": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "doubling with ~": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "doubling lists": "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a|length }}",
    "doubling with join": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = [a, a]|join %}" * 60 + "{{ a }}",
    "doubling with a separator": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = [1,1,1]|join(a) %}" * 60 + "{{ a }}",
    "replace": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a|replace('x', 'xxxxxxxxxx') %}" * 20 + "{{ a }}",
    "replace of nothing": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a|replace('', a) %}" * 20 + "{{ a }}",
    "tojson of tojson": "{{ x" + "|tojson" * 60 + " }}",
    "tojson with an indent": "{{ data|tojson(indent=1000000000) }}",
    "nested lists as JSON": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a|tojson }}",
    "nested lists as text": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "nested lists, string filter": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a|string }}",
    "nested lists compared": "{% set a = [1] %}{% set b = [1] %}"
    + "{% set a = [a, a] %}{% set b = [b, b] %}" * 60
    + "{{ a == b }}",
    "nested lists in ~": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a ~ '' }}",
    "urlencode": "{% set a = 'ääääääääää' %}" + "{% set a = a|urlencode %}" * 60 + "{{ a }}",
    "escape": "{% set a = '&&&&&&&&&&' %}" + "{% set a = a|forceescape %}" * 3000 + "{{ a }}",
    "indent": "{{ x|indent(1000000000) }}",
    "center": "{{ x|center(1000000000) }}",
    "wordwrap": "{{ x|wordwrap(1) }}",
    "ljust": "{{ x.ljust(1000000000) }}",
    "zfill": "{{ x.zfill(1000000000) }}",
    "round": "{{ 1.5|round(1000000000) }}",
    "round by a power": "{{ 1.5|round(400, 'ceil') }}",
    "big int": "{{ '9999999999'|int }}{{ ('9' ~ '0')|int(base=36) }}",
    "batch": "{{ items|batch(1000000000, 'x')|list }}",
    "slice": "{{ items|slice(1000000000)|list }}",
    "a loop in a loop of texts": "{% for a in x.split('') %}{{ a }}{% endfor %}",
    "loop over a long text": "{% set t = x"
    + "|replace('', 'xxxxxxxxxx')" * 5
    + " %}{% for a in t %}{% for b in t %}{{ t }}{% endfor %}{% endfor %}",
    "deep braces": "{{ " + "(" * 20000 + ")" * 20000 + " }}",
    "deep lists": "{{ " + "[" * 20000 + "]" * 20000 + " }}",
    "deep conditions": "{% if x %}" * 2000 + "{% endif %}" * 2000,
    "deep not": "{{ " + "not " * 20000 + "x }}",
    "deep filters": "{{ x" + "|upper" * 20000 + " }}",
    "a long sum": "{{ " + "1+" * 20000 + "1 }}",
    "a long ~": "{{ " + "x~" * 20000 + "x }}",
}


def outcome(syntax, text, values=VALUES):
    """What a run would send, or the sentence of the refusal."""
    data = {"syntax": syntax, "messages": [{"text": text}]}
    try:
        spec = parse(PromptSpec, data)
        names = spec.names()
        declared = parse(PromptSpec, data | {"variables": [{"name": name} for name in names if name.isidentifier()]})
        return fill_in(declared, {name: values.get(name, "given") for name in names})[0]["content"]
    except InvalidInput as error:
        return f"REFUSED {error}"


@pytest.mark.timeout(60)  # without their limits the bombs would take for ever
@pytest.mark.parametrize("attack", F_STRING.values(), ids=F_STRING)
def test_an_f_string_reaches_no_object(attack):
    assert f_string.problem(attack), "it should be refused with a sentence"
    with pytest.raises(ValueError, match=r".") as caught:
        f_string.render(attack, VALUES)
    assert not any(leak in str(caught.value) for leak in LEAKS)
    assert outcome("f-string", attack).startswith("REFUSED")


@pytest.mark.parametrize("attack", JINJA.values(), ids=JINJA)
def test_a_jinja2_template_reaches_no_object_and_no_file(attack):
    before = repr(VALUES)
    shown = outcome("jinja2", attack)
    rendered = ""
    try:
        rendered = jinja.render(attack, VALUES)
    except ValueError as error:
        assert str(error)
    for said in (shown, rendered):
        said = said.removeprefix("REFUSED")
        assert not any(leak in said for leak in LEAKS), said[:300]
    assert repr(VALUES) == before


@pytest.mark.timeout(60)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_jinja2_template_ends_and_stays_small(bomb):
    shown = outcome("jinja2", bomb)
    assert len(shown) <= MOST_CHARACTERS + 1000


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% for i in items %}{{ loop.index }}. {{ i|upper }}\n{% endfor %}", "1. A\n2. B\n"),
        ("{{ data.key }} {{ data['key'] }} {{ data|tojson }}", None),
        ("{% if flag and n > 2 %}yes{% else %}no{% endif %}", "yes"),
        ("{{ items|join(', ')|title }} {{ 'a b'.split(' ')|length }}", "A, B 2"),
        (
            "{{ data['__class__'] }} {{ x ~ 1 ~ flag }} {{ [1, 2]|join }} {{ 2.345|round(1) }}",
            "a key of theirs planted1True 12 2.3",
        ),
    ],
)
def test_what_prompts_need_still_works(template, expected):
    shown = jinja.render(template, VALUES)
    assert expected is None or shown == expected
