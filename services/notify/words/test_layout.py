#!/usr/bin/python3
"""test_layout.py FOLDER... - the built-in mails as a reader sees them: every text stands out
from its ground by 4.5:1 (WCAG 2.2, 1.4.3), in light and in dark, and what has no spaces (an
address, a name, a URL) is broken and not wider than a narrow screen.

It reads the layouts with the words of each kind in them, and works out from their styles
which colour a text has and on which ground. It knows as much of CSS as they use."""
import html.parser
import pathlib
import re
import sys
import unittest

from embed import parts

FOLDERS = [pathlib.Path(folder) for folder in sys.argv[1:]]
VOID = {'br', 'meta', 'img', 'hr', 'link'}
INHERITED = ('color', 'overflow-wrap')


def declarations(text):
    pairs = (d.split(':', 1) for d in text.split(';') if ':' in d)
    return {name.strip(): value.replace('!important', '').strip() for name, value in pairs}


def rules(css):
    for selectors, body in re.findall(r'([^{}]+)\{([^{}]*)\}', css):
        for selector in selectors.split(','):
            yield selector.split(), declarations(body)


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.parent = tag, parent
        self.classes = attributes.get('class', '').split()
        self.own = declarations(attributes.get('style', ''))

    def is_a(self, simple):
        return simple[1:] in self.classes if simple[0] == '.' else simple == self.tag

    def matches(self, selector):
        *above, last = selector
        at = self.parent
        if not self.is_a(last):
            return False
        while above and at:
            if at.is_a(above[-1]):
                above = above[:-1]
            at = at.parent
        return not above

    def value(self, name, dark):
        """What a style comes to here; rules for the dark are all important."""
        found = self.own.get(name)
        for selector, body in dark:
            if name in body and self.matches(selector):
                found = body[name]
        if found is None and self.parent and (name in INHERITED or name == 'background'):
            return self.parent.value(name, dark)  # a ground shows through
        return found


class Page(html.parser.HTMLParser):
    """The texts of a mail with the elements that they stand in, and its style sheet."""

    def __init__(self, text):
        super().__init__()
        self.at, self.texts, self.css, self.tables = None, [], '', []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes), self.at)
        if tag == 'table':
            self.tables.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        assert self.at.tag == tag, (self.at.tag, tag)
        self.at = self.at.parent

    def handle_data(self, data):
        if self.at and self.at.tag == 'style':
            self.css += data
        elif data.strip() and self.at and self.at.tag != 'title' \
                and self.at.own.get('display') != 'none':
            self.texts.append((data.strip(), self.at))


def luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def mails():
    for layout in sorted(path for folder in FOLDERS for path in folder.glob('*/layout.txt')):
        around, language = parts(layout)['html'], layout.parent.name
        for kind in sorted(p for folder in FOLDERS for p in folder.glob(f'{language}/*.txt')):
            if kind != layout:
                text = around.replace('{{{content}}}', parts(kind)['html'])
                yield f'{language}/{kind.stem}', re.sub(r'\{\{[#/^][^}]*\}\}', '', text)


class Layout(unittest.TestCase):
    def test_every_text_stands_out_from_its_ground(self):
        for name, text in mails():
            page = Page(text)
            dark_css = re.search(r'prefers-color-scheme: dark\) \{(.*)\n\}', page.css, re.S).group(1)
            for scheme, dark in (('light', []), ('dark', list(rules(dark_css)))):
                for words, element in page.texts:
                    colour, ground = (element.value(n, dark) for n in ('color', 'background'))
                    with self.subTest(mail=name, scheme=scheme, words=words[:40]):
                        self.assertGreaterEqual(contrast(colour, ground), 4.5, (colour, ground))

    def test_what_has_no_spaces_is_broken(self):
        for name, text in mails():
            page = Page(text)
            for words, element in page.texts:
                with self.subTest(mail=name, words=words[:40]):
                    self.assertEqual(element.value('overflow-wrap', []), 'anywhere')
            for table in page.tables:
                if table.parent.value('overflow-wrap', []) != 'anywhere':  # of the layout
                    with self.subTest(mail=name, table=table.classes):
                        self.assertEqual(table.own.get('table-layout'), 'fixed')


unittest.main(argv=sys.argv[:1])
