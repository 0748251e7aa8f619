"""emit.py - objects as YAML. One description of an object serves both kustomize, where a
value stands as it is, and the chart, where it is a template of the same value."""
import json
import re

PLAIN = re.compile(r'[A-Za-z/][A-Za-z0-9_./-]*')
WORDS = {'true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'}


class Value:
    """A leaf: its value, and the template of it. Raw: not a string."""

    def __init__(self, value, template, raw=False):
        self.value, self.template, self.raw = value, template, raw


class When:
    """Of a mapping a value, of a list some items, that are there under a condition of the
    chart; in kustomize, where usual is true."""

    def __init__(self, condition, value, usual=True):
        self.condition, self.value, self.usual = condition, value, usual


class Note:
    """A value with a comment before it."""

    def __init__(self, text, value):
        self.text, self.value = text, value


def scalar(value):
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


class Writer:
    def __init__(self, chart):
        self.chart, self.lines = chart, []

    def put(self, indent, text):
        self.lines.append(' ' * indent + text)

    def leaf(self, value):
        """The text of what stands behind its key on the same line, or None."""
        if isinstance(value, Value):
            if not self.chart:
                return self.leaf(value.value)
            return '{{ %s }}' % value.template if value.raw else f'"{value.template}"'
        if value == {}:
            return '{}'
        if value == []:
            return '[]'
        return None if isinstance(value, (dict, list)) else scalar(value)

    def notes(self, indent, value):
        while isinstance(value, Note):
            for line in value.text.split('\n'):
                self.put(indent, f'# {line}')
            value = value.value
        return value

    def under(self, indent, condition, write):
        self.put(indent, '{{- if %s }}' % condition)
        write()
        self.put(indent, '{{- end }}')

    def plain(self, value):
        """A Value's own where it is a mapping or list and no template is wanted."""
        return value.value if isinstance(value, Value) and not self.chart else value

    def mapping(self, indent, value):
        for key, one in value.items():
            one = self.notes(indent, one)
            if isinstance(one, When):
                if self.chart:
                    self.under(indent, one.condition, lambda k=key, o=one: self.pair(indent, k, o.value))
                elif one.usual:
                    self.pair(indent, key, one.value)
            else:
                self.pair(indent, key, one)

    def pair(self, indent, key, value):
        value = self.plain(value)
        text = self.leaf(value)
        if text is not None:
            self.put(indent, f'{scalar(key)}: {text}')
        else:
            self.put(indent, f'{scalar(key)}:')
            (self.mapping if isinstance(value, dict) else self.items)(indent + 2, value)

    def items(self, indent, value):
        for one in value:
            one = self.notes(indent, one)
            if isinstance(one, When):
                if self.chart:
                    self.under(indent, one.condition, lambda o=one: self.items(indent, o.value))
                elif one.usual:
                    self.items(indent, one.value)
            else:
                self.item(indent, one)

    def item(self, indent, value):
        value = self.plain(value)
        text = self.leaf(value)
        if text is not None:
            self.put(indent, f'- {text}')
            return
        inner = Writer(self.chart)
        (inner.mapping if isinstance(value, dict) else inner.items)(0, value)
        self.put(indent, f'- {inner.lines[0]}')
        for line in inner.lines[1:]:
            self.put(indent + 2, line)


def document(value, chart=False):
    writer = Writer(chart)
    value = writer.notes(0, value)
    writer.mapping(0, value)
    return '\n'.join(writer.lines) + '\n'


def documents(objects, chart=False):
    """Objects, each with a condition of the chart or not: (object, condition)."""
    texts = []
    for one in objects:
        one, condition = one if isinstance(one, tuple) else (one, None)
        text = document(one, chart)
        if chart and condition:
            text = '{{- if %s }}\n---\n%s{{- end }}\n' % (condition, text)
        else:
            text = '---\n' + text
        texts.append(text)
    return ''.join(texts)
