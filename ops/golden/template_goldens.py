"""Golden renderings of chat templates by Python's jinja2, set up as transformers sets it up.

    python template_goldens.py MODEL.gguf TEMPLATE_DIR OUT.json

TEMPLATE_DIR holds popular chat templates (*.jinja); SmolLM2's own comes from MODEL.gguf. Each renders every conversation, with and
without a generation prompt: the text, or the message that the template raised. The snippets are single constructs and their values;
"fails" says that jinja2 fails too.
"""

import copy
import datetime
import importlib.metadata
import json
import pathlib
import sys

import gguf
import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

import judge

NOW = datetime.datetime(2026, 3, 5, 9, 7, 2)
BOS, EOS = "<s>", "</s>"


class Generation(jinja2.ext.Extension):
    """transformers' {% generation %}, as far as the text goes."""

    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def turns(*contents, system=None):
    messages = [] if system is None else [{"role": "system", "content": system}]
    return messages + [{"role": ("user", "assistant")[i % 2], "content": content} for i, content in enumerate(contents)]


CONVERSATIONS = [
    turns("Hi"),
    turns("Hi", system="You are terse."),
    turns("Hi", "Hello! How can I help?", "Tell me a joke.", system="Be funny."),
    turns("Hi", "Hello!"),
    turns("  leading and trailing  \n", "\n\n answer \t", "\u00a0nbsp\u00a0\n", system="  system with space \n"),
    turns("Grüße 你好 🌍👨‍👩‍👧 \u0301", "नमस्ते", "مرحبا"),
    turns("", "", "", system=""),
    turns("quotes ' \" \\ and {{ braces }} {% set x = 1 %} {# no #}", system="<|im_end|></s><s>[INST]"),
    turns("a\r\nb\rc\n\nd"),
    turns("<think>why</think>", "<think>\nbecause\n</think>\n\nyes", "and?"),
    [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}],
    [{"role": "assistant", "content": "I start"}, {"role": "user", "content": "ok"}],
    [{"role": "tool", "content": "42"}, {"role": "user", "content": "ok"}],
    turns(*(f"turn {i}" for i in range(9))),
]

VARIABLES = {
    "s": "Hello, World", "t": "  a b\tc\n", "u": "Größe ß ŉ ǆ 😀é", "empty": "", "n": 7, "m": -3, "f": 2.5, "yes": True, "no": False, "nil": None,
    "list": [3, 1, 2], "words": ["b", "a", "C"], "nested": [[1, [2]], {"k": [None, True]}], "d": {"a": 1, "b": {"c": [10, 20]}, "items": "x"},
    "messages": [{"role": "user", "content": "hi", "n": 1}, {"role": "assistant", "content": "yo", "n": 2}, {"role": "user", "content": "bye"}],
}

EXPRESSIONS = """
1 + 2 * 3¦1 - -2¦-n + 1¦+n¦2 ** 3 ** 2¦-2 ** 2¦7 / 2¦8 / 2¦7 // 2¦-7 // 2¦7 % 3¦-7 % 3¦7.5 % 2¦7.5 // 2¦1e3¦1.5e-7¦1e16¦123456789012345680.0¦0.1 + 0.2¦1_000¦-0.0¦100.0
1 / 3¦2 ** -1¦2 ** 0.5¦10 // 3.0¦n ~ f ~ s ~ nil ~ yes ~ list¦'a' * 3¦3 * 'ab'¦[1] * 3¦[1] + [2, 3]¦(1, 2) + (3,)¦(1,)¦()¦(1, 2)¦[]¦{}¦{'a': 1, 'b': [1, 'x']}
1 == 1.0¦1 == True¦'1' == 1¦[1, 2] == [1, 2]¦(1, 2) == [1, 2]¦{'a': 1} == {'a': 1.0}¦nil == none¦missing == missing2¦missing == none¦1 < 2 < 3¦1 < 2 > 3¦3 >= 3 == True¦'a' < 'b'¦'Z' < 'a'¦s != 'x'
not yes¦not not yes¦yes and no¦yes or no¦nil or 'x'¦empty or 'x'¦'a' and 'b'¦0 or missing or 'z'¦not missing¦no and missing.x¦1 in list¦9 not in list¦'a' in d¦'lo' in s¦'x' in missing¦not 1 in list¦'role' in messages[0]
'a' if yes else 'b'¦'a' if no else 'b' if no else 'c'¦'a' if no¦('a' if no) is defined¦1 if 0 else 2 + 3
s[0]¦s[-1]¦s[99]¦s[1:4]¦s[:-1]¦s[::-1]¦s[::2]¦s[5:1:-1]¦s[-3:]¦s[100:]¦s[:0]¦u[8]¦u[-2:]¦list[0]¦list[-1]¦list[5]¦list[1:]¦list[::-1]¦list[:99]¦list[-2:1]¦list[2:0:-1]¦(1,2,3)[1:]¦d['a']¦d.a¦d.b.c[1]¦d['b']['c'][-1]¦d.zzz¦d['zzz']¦d.b.zzz¦nested[1].k[1]¦nested.0.1¦messages[-1].role¦messages[1:][0]['content']
s.upper()¦s.lower()¦u.upper()¦u.lower()¦u.capitalize()¦t.strip()¦t.lstrip()¦t.rstrip()¦s.strip('Hd')¦s.strip('Held, ')¦s.lstrip('He')¦s.rstrip('ld')¦s.split()¦t.split()¦s.split(',')¦s.split('o', 1)¦s.rsplit('o', 1)¦s.split('zz')¦'a,,b,'.split(',')¦'a  b c'.split(None, 1)¦'a\\nb\\r\\nc\\n'.splitlines()
s.startswith('He')¦s.endswith('x')¦s.startswith(('x', 'He'))¦s.replace('l', 'L')¦s.replace('l', 'L', 1)¦s.find('o')¦s.find('zz')¦s.rfind('o')¦s.count('l')¦s.index('W')¦','.join(words)¦''.join([])¦s.removeprefix('Hell')¦s.removesuffix('ld')¦'12'.isdigit()¦'1a'.isdigit()¦'ab'.isalpha()¦'a1'.isalnum()¦' '.isspace()¦''.isspace()¦'AB'.isupper()¦'ab'.islower()¦'it\\'s bob-the xx'.title()
d.items() | list¦d.keys() | list¦d.values() | list¦d.get('a')¦d.get('zz')¦d.get('zz', 5)¦d.b.get('c')¦list.index(2)¦list.count(1)¦{'get': 1}.get('get')
s | upper¦s | lower¦u | upper¦u | capitalize¦u | title¦'foo bar-baz (qux) [a] <b>' | title¦t | trim¦s | trim('Hd')¦5 | trim¦nil | upper¦missing | upper¦s | length¦u | length¦list | length¦d | count¦missing | length¦missing | default('q')¦empty | default('q')¦empty | default('q', true)¦nil | default('q')¦nil | d('q', true)¦missing | d¦0 | default(1, boolean=true)
list | tojson¦d | tojson¦nested | tojson¦u | tojson¦'a"b\\\\c\\n\\t\\x01\\x7f</script>&\\'' | tojson¦d | tojson(indent=2)¦nested | tojson(indent=4)¦[] | tojson(indent=2)¦{} | tojson(2)¦f | tojson¦1e20 | tojson¦nil | tojson¦yes | tojson¦{'a': []} | tojson(indent=1)¦{1: 2, none: 3, 2.5: 4} | tojson
list | join¦list | join(', ')¦words | join('-')¦messages | join(',', attribute='role')¦[1, none, 'x', 2.0, missing] | join('/')¦'abc' | join('.')¦list | first¦list | last¦[] | first¦s | first¦s | last¦d | first¦'abc' | list¦d | list¦missing | list¦list | reverse | list¦s | reverse¦s | replace('l', 'L')¦s | replace('l', 'L', 2)¦5 | replace('5', 6)
5 | string¦nested | string¦'7' | int¦'x' | int¦'x' | int(9)¦' 42 ' | int¦'3.9' | int¦3.9 | int¦-3.9 | int¦'2.5' | float¦'x' | float¦'x' | float(1.5)¦m | abs¦-1.5 | abs¦list | sum¦list | max¦list | min¦[] | max¦[1, 2.5] | sum¦d | items | list¦missing | items | list¦'<b>' | safe
messages | map(attribute='role') | list¦messages | map(attribute='zz', default='-') | list¦words | map('upper') | list¦words | map('replace', 'a', 'x') | join¦messages | selectattr('role', 'equalto', 'user') | list | length¦messages | selectattr('n') | list | length¦messages | rejectattr('role', 'eq', 'user') | map(attribute='content') | join¦list | select('odd') | list¦list | reject('gt', 1) | list¦list | select | list¦messages | selectattr('n', 'defined') | list | length¦messages | selectattr('role', 'in', ['assistant']) | list
'a\\nb\\n\\nc' | indent¦'a\\nb\\n\\nc' | indent(2, true)¦'a\\nb\\n\\nc' | indent(2, first=true, blank=true)¦'a\\nb' | indent('> ')¦'a\\n' | indent
missing is defined¦n is defined¦missing is undefined¦nil is none¦missing is none¦nil is not none¦s is string¦n is string¦n is number¦yes is number¦yes is boolean¦n is integer¦yes is integer¦f is float¦d is mapping¦list is mapping¦list is iterable¦s is iterable¦n is iterable¦d is iterable¦list is sequence¦n is sequence¦missing is sequence¦4 is even¦n is odd¦6 is divisibleby 3¦6 is divisibleby(4)¦n is eq 7¦n is equalto(7)¦n is ne 7¦n is gt 6¦n is le(7)¦n is lt 3¦n is ge 7¦2 is in list¦'b' is in words¦yes is true¦1 is true¦no is false¦nil is sameas none¦yes is sameas true¦1 is sameas true¦'ab' is lower¦'AB' is upper¦namespace is callable¦s is callable
words | max¦words | min¦f is odd¦3.0 is odd¦2.0 is even¦'a' * yes¦nil | map('upper') | list¦missing in d¦0 | select | list¦not s is string¦not n is string and yes¦n is not string¦s is string and n is number¦s is defined and s is not none¦'x' if s is string else 'y'¦s | upper is upper¦-3 is number¦n | string is string¦(n is odd) == true
range(3) | list¦range(1, 4) | list¦range(10, 0, -3) | list¦dict(a=1, b=2)¦namespace(a=1).a¦strftime_now('%d %b %Y')¦strftime_now('%A %B %-d')¦strftime_now('%Y-%m-%d %H:%M:%S %y %j %I %p %a %%')
'\\x41\\u00e9\\U0001F600\\101\\q\\'"'¦"dq 'in' \\" esc"¦'a' 'b' "c"¦'tab\\there'¦none¦None¦true¦True¦false¦False¦yes¦nil¦list¦d¦nested¦f¦1.0¦'it\\'s'¦['it\\'s', 'a"b', 'both\\'"', '\\n\\u00a0\\u200b\\x7f😀']
missing¦missing.x¦missing['x']¦missing + 1¦missing()¦missing[0:1]¦nil.x¦nil + 1¦'a' + 1¦1 + 'a'¦[1] + (2,)¦-s¦1 < 'a'¦nil < 1¦s.nope¦1 / 0¦1 // 0¦1 % 0¦1 in 5¦1 in 'a'¦d[list]¦[][0]¦s()¦range(0, 5, 0)¦{[]: 1}¦nil | length¦5 | length¦5 | join¦5 | first¦nil | list¦d.append(1)¦list.append(1)¦'x' | abs¦missing | tojson¦raise_exception('no ' ~ n)¦s.split('')¦s.index('zz')¦missing > 1¦s * s¦5 | indent¦missing | indent¦missing | float¦missing | int¦n[1:]¦range(200000) | length¦','.join([1])
"""

TEMPLATES = [
    "{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }};{% endfor %}",
    "{% for x in list %}{{ loop.previtem is defined }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.depth }}{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}", "{% for x in list if x > 1 %}{{ x }}:{{ loop.length }} {% else %}none{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in 'añ😀' %}[{{ c }}]{% endfor %}",
    "{% for (a, b) in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for x in missing %}x{% endfor %}ok", "{% for x in 5 %}{% endfor %}",
    "{% for x in list %}{% for y in words %}{{ x }}{{ y }}{{ loop.index }}{% if loop.last %}!{% endif %}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in list %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% for y in list %}{% set x = x + y %}{{ x }}{% endfor %}{{ x }}", "{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set ns = namespace(c=0) %}{% for y in list %}{% set ns.c = ns.c + y %}{% endfor %}{{ ns.c }}", "{% set ns = namespace() %}{% set ns.a = 'q' %}{{ ns.a }}{{ ns.b }}", "{% set d.a = 1 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x | length }}", "{% set a = b = 1 %}", "{{ 1, 2 }}",
    "{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}", "{% if no %}a{% elif no %}b{% else %}c{% endif %}", "{% if missing %}a{% endif %}b", "{% if nil is none and list %}x{% endif %}",
    "{% macro m(a, b=2) %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}", "{% macro f(x) %}{{ x }}{% if x > 0 %}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
    "{% macro g() %}{{ n }}{{ missing }}{% endmacro %}{{ g() | length }}", "{% macro h(a) %}{% endmacro %}{{ h(1, 2) }}",
    "a {# comment #} b", "a {#- comment -#} b", "x\n  {# comment #}\ny", "{# multi\nline #}z", "{# {{ not }} {% run %} #}k",
    "  {% if yes %}\n    a\n  {% endif %}\n  b\n", "  {%- if yes %}\n    a\n  {%- endif %}\n  b\n", "  {%+ if yes %}\n a {%+ endif %}\n b\n", "{% if yes -%}\n\n   a   {%- endif %} b", "{% if yes +%}\nx{% endif %}",
    "a\n\n{{ n }}\n\nb", "a\n\n{{- n -}}\n\nb", "a \t{%- set x = 1 -%}\t b{{ x }}", "{{ n }}\n", "{{ n }}\n\n", "\n{{ n }}", "  {{ n }}  ", "x{% set a = 1 %}\n\ny", "x {% set a = 1 %} \n y", "\t{% set a = 1 %}\ny",
    "a\r\n{% if yes %}\r\nb{% endif %}\rc", "{% raw %}{{ x }}{% y %}{# z #}{% endraw %}!", "a\n  {% raw %}\n b \n  {% endraw %}\nc", "{%- raw -%} x {%- endraw -%} y", "{{ '{% x %}' }}{{ '}}' }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b']}}",
    "{% generation %}x{{ n }}{% endgeneration %}y", "{{ '{{' }}", "{", "{ {", "}} %} #}", "{{ s }}{{ s }}", "{%set x=1%}{%if x==1%}y{%endif%}", "{{n}}{{-n-}}{{ n}}", "{{ 5 -}} x", "{{ 5 - 2 }}", "{{ -n }}{{-n}}", "{%- set x = 5 -%}{{ x -}}\n.",
    "{{", "{{ n", "{% if %}{% endif %}", "{% if yes %}", "{% endif %}", "{% for %}{% endfor %}", "{% for x of y %}{% endfor %}", "{{ 1 + }}", "{{ ) }}", "{{ (1 }}", "{{ 'a }}", "{# open", "{% unknown %}", "{{ n | nope }}", "{{ n is nope }}", "{{ a b }}", "{% set 1 = 2 %}",
    "{{ f(x=1, 2) }}", "{{ namespace(1, 2 }}", "{% else %}", "{{ n ! }}", "{{ [1, 2 }}", "{% raw %}", "{{ {1} }}", "{% if yes %}{% endfor %}", "{% break %}", "{{ 'a' is }}", "{{ .5 }}", "{{ 5. }}", "{{ a. }}", "{{ a[ ] }}", "{% macro %}{% endmacro %}",
    "{% for m in messages %}{% if loop.first %}{% set sys = m.content %}{% endif %}{{ sys }}|{% endfor %}", "{% set x = [1] %}{% for i in range(3) %}{% set x = x + [i] %}{{ x }}{% endfor %}{{ x }}",
    "{% set loop_messages = messages[1:] %}{% for m in loop_messages %}{{ messages[loop.index0].role }}{{ loop_messages[loop.index0 - 1].role }}{% endfor %}",
]


def attempt(render):
    try:
        return {"text": render()}
    except jinja2.exceptions.TemplateSyntaxError:
        return {"fails": "load"}
    except Exception as failure:  # whatever Python throws: the sandbox does not wrap it
        return {"fails": "render", "error": type(failure).__name__}


def snippets():
    for line in EXPRESSIONS.strip().split("\n"):
        for expression in line.split("¦"):
            yield "{{ " + expression + " }}"
    yield from TEMPLATES


def conversation_rows(env, templates):
    for name, source in templates.items():
        template = env.from_string(source)
        for index, messages in enumerate(CONVERSATIONS):
            for add in (True, False):
                try:
                    text = template.render(messages=messages, tools=None, documents=None, add_generation_prompt=add, bos_token=BOS, eos_token=EOS)
                    result = {"text": text}
                except jinja2.exceptions.UndefinedError as failure:
                    result = {"fails": str(failure)}
                except jinja2.exceptions.TemplateError as failure:
                    result = {"raises": str(failure)}
                except TypeError as failure:
                    result = {"fails": str(failure)}
                yield {"template": name, "conversation": index, "add_generation_prompt": add} | result


def main(model, directory, out):
    env = environment()
    templates = {path.stem: path.read_text(encoding="utf-8") for path in sorted(pathlib.Path(directory).glob("*.jinja"))}
    templates["smollm2"] = gguf.GGUFReader(model).get_field("tokenizer.chat_template").contents()
    rows = list(conversation_rows(env, templates))
    snippet_rows = [{"source": source} | attempt(lambda: env.from_string(source).render(**copy.deepcopy(VARIABLES))) for source in snippets()]
    document = {
        "judge": "jinja2 " + importlib.metadata.version("jinja2"),
        "now": NOW.isoformat(),
        "bos_token": BOS,
        "eos_token": EOS,
        "smollm2": templates["smollm2"],
        "variables": VARIABLES,
        "snippets": snippet_rows,
        "conversations": CONVERSATIONS,
        "renderings": rows,
    }
    judge.write(out, document, "renderings")
    failing = sum("fails" in row for row in snippet_rows)
    print(f"{len(templates)} templates, {len(rows)} renderings, {len(snippet_rows)} snippets of which {failing} fail")


if __name__ == "__main__":
    main(*sys.argv[1:])
