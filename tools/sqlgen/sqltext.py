"""SQL as pieces: what a parameter, a string, a comment is, which tables a text names."""
import pathlib
import re


class Refused(Exception):
    """A file that breaks a convention: (path, line, what)."""


TOKEN = re.compile(r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<string>[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)
  | (?P<cast>::)
  | (?P<param>:[a-z_][a-z0-9_]*)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<space>\s+)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<other>.)
""", re.S | re.X)


def tokens(text):
    """Yields (kind, text, offset)."""
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == 'tag':
            kind = 'dollar'
        yield kind, match.group(0), match.start()


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def named(text, *keywords):
    """Behind each of these keywords: the word before it, the name behind it (a.b as two),
    and the line."""
    kept = [t for t in tokens(text) if t[0] not in ('space', 'comment')]
    for i, (kind, word, offset) in enumerate(kept):
        if kind == 'word' and word.lower() in keywords:
            behind = [t[1].lower().strip('"') for t in kept[i + 1:i + 7]]
            if behind[:3] == ['if', 'not', 'exists']:
                del behind[:3]
            before = kept[i - 1][1].lower() if i else ''
            yield before, behind[:3:2] if behind[1:2] == ['.'] else behind[:1] or [''], line_of(text, offset)


def framework_tables():
    """Tables that every service's schema has already."""
    folder = pathlib.Path(__file__).resolve().parents[2] / 'shared/pg/sql/schema'
    return {'schema_migration'} | {name[-1] for path in folder.glob('*.sql')
                                   for _, name, _ in named(path.read_text(), 'table')}


def refuse_other_schemas(text, file):
    for _, name, line in named(text, 'table', 'into', 'references', 'join'):
        if len(name) == 2 and name[0] not in ('pg_catalog', 'information_schema'):
            raise Refused(file, line, f'names the schema {name[0]}; a service has only its own, '
                          'and names tables without it')
