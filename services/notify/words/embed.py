#!/usr/bin/python3
"""embed.py OUT DEPFILE TOLD.JSON FOLDER... - the built-in words of all services as a C table.

TOLD.JSON is contractgen's: the kinds of messages that contracts declare. The words of one
stand in its service's folder, services/SERVICE/words/LANGUAGE/KIND.txt, in each language in
which notify has the frame of mails (layout.txt). What is missing, belongs to nothing or uses
a value that there is not is a line on standard error, and the build stops.

A file begins with a line "subject:", one "summary:" and, where the kind has a page, one
"action:"; then come "--- text" and "--- html". The inner HTML is written plainly (p, strong, code,
table with th and td, div.item, .small); mail programs want the style in each element, and
get it here."""
import json
import pathlib
import re
import sys

from tags import faults, values_of

TOP = pathlib.Path(__file__).resolve().parents[3]
FORM = re.compile(r'(?P<head>(?:[a-z]+: .*\n)+)--- text\n(?P<text>.+)^--- html\n(?P<html>.+)',
                  re.M | re.S)
STYLES = {
    '<p>': 'margin:0 0 16px',
    '<p class="small">': 'margin:18px 0 0;color:#5b6773;font-size:14px;line-height:1.5',
    '<span class="small">': 'color:#5b6773;font-size:13px',
    '<strong>': 'color:#16202a;font-weight:600',
    '<code>': 'background:#eef1f4;border-radius:4px;font-family:ui-monospace,SFMono-Regular,'
              'Menlo,Consolas,monospace;font-size:13px;padding:1px 5px',
    '<table>': 'border-collapse:collapse;margin:4px 0 20px;width:100%',
    '<th>': 'border-bottom:1px solid #e2e7ec;color:#5b6773;font-size:14px;font-weight:500;'
            'padding:9px 20px 9px 0;text-align:left;vertical-align:top;white-space:nowrap;'
            'width:1%',
    '<td>': 'border-bottom:1px solid #e2e7ec;font-size:14px;padding:9px 0;'
            'overflow-wrap:anywhere;word-break:break-word',
    '<div class="item">': 'border-top:1px solid #e2e7ec;padding:14px 0',
}


def styled(html):
    for tag, style in STYLES.items():
        html = html.replace(tag, f'{tag[:-1]} style="{style}">')
    return html


def pieces(text):
    """Name, first line and text of each part; nothing where the file has not the form."""
    form = FORM.fullmatch(text)
    head = form['head'].splitlines() if form else []
    found = [(*line.split(': ', 1), number) for number, line in enumerate(head, 1)]
    found += [(name, form[name].rstrip('\n') + '\n', text.count('\n', 0, form.start(name)) + 1)
              for name in ('text', 'html') if form]
    names = [name for name, _, _ in found]
    fine = names[:2] + names[-2:] == ['subject', 'summary', 'text', 'html'] and \
        names[2:-2] in ([], ['action'])
    return found if fine else []


def parts(path):
    """The parts of a file by name, as they are compiled in."""
    found = {name: text for name, text, _ in pieces(path.read_text(encoding='utf-8'))}
    return found if path.stem == 'layout' else found | {'html': styled(found['html'])}


class Words:
    def __init__(self, kinds, folders):
        self.folders = {folder.parent.name: folder for folder in folders}
        self.languages = sorted(f.parent.name for f in self.folders['notify'].glob('*/layout.txt'))
        frame = {'kind': 'layout', 'service': 'notify', 'page': False, 'place': 'every mail'}
        self.kinds = {k['kind']: k for k in [*kinds, frame]}
        self.wrong, self.seen = [], []

    def say(self, path, sentence):
        shown = path.relative_to(TOP) if path.is_relative_to(TOP) else path
        self.wrong.append(f'{shown}: {sentence}')

    def collect(self):
        """(kind, language, parts) of all, rising."""
        for name, kind in sorted(self.kinds.items()):
            for language in self.languages:
                path = self.folders[kind['service']] / language / f'{name}.txt'
                if path.is_file():
                    yield name, language, self.read(path, kind)
                else:
                    self.say(path, f'is missing: {kind["place"]} declares the kind {name}, and '
                             f'its words in the language "{language}" belong here')
        for service, folder in self.folders.items():
            self.look_for_others(service, folder)

    def read(self, path, kind):
        self.seen.append(path)
        found = pieces(path.read_text(encoding='utf-8'))
        if not found:
            self.say(path, 'has not the form of words: lines "subject:", "summary:" and, for a '
                     'button, "action:", then "--- text" and "--- html" with their lines')
            return {}
        if kind['page'] != any(name == 'action' for name, _, _ in found):
            self.say(path, f'has {"no" if kind["page"] else "an"} action, the words on the button, '
                     f'and its kind {"a" if kind["page"] else "no"} page ({kind["place"]})')
        for _, text, first in found:
            for line, sentence in faults(text, values_of(kind), first):
                self.say(path.with_name(f'{path.name}:{line}'), sentence)
        return parts(path)

    def look_for_others(self, service, folder):
        """Files that nobody would read."""
        self.seen += [folder] if folder.is_dir() else []
        for inner in sorted(p for p in folder.glob('*') if re.fullmatch(r'[a-z]{2,3}(-\w+)*', p.name)
                            and p.is_dir()):
            self.seen.append(inner)
            if inner.name not in self.languages:
                self.say(inner, 'mails have no frame in this language; it begins with '
                         f'services/notify/words/{inner.name}/layout.txt')
            for path in sorted(inner.glob('*')):
                if path.suffix != '.txt' or self.kinds.get(path.stem, {}).get('service') != service:
                    self.say(path, f'belongs to no kind that a contract of {service} declares '
                             '(trellis.tells)')


def literal(text):
    lines = text.split('\n')
    quoted = []
    for i, line in enumerate(lines):
        end = '\\n' if i + 1 < len(lines) else ''
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?')
        if line or end:
            quoted.append(f'"{line}{end}"')
    return '\n\t    '.join(quoted) or '""'


def table(rows):
    yield ('/* Made by words/embed.py. */\n#include "words/words.h"\n\n'
           'const struct notify_words notify_words_built_in[] = {\n')
    for kind, language, found in rows:
        fields = ''.join(f',\n\t  .{n} =\n\t    {literal(t)}' for n, t in found.items())
        yield f'\t{{ .kind = "{kind}", .locale = "{language}"{fields} }},\n'
    yield ('};\nconst size_t notify_words_built_in_count =\n'
           '    sizeof notify_words_built_in / sizeof notify_words_built_in[0];\n')


def main():
    out, depfile, told, *folders = sys.argv[1:]
    words = Words(json.loads(pathlib.Path(told).read_text(encoding='utf-8')),
                  [pathlib.Path(f) for f in folders])
    rows = list(words.collect())
    if words.wrong:
        sys.exit('\n'.join(words.wrong))
    pathlib.Path(out).write_text(''.join(table(rows)), encoding='utf-8')
    pathlib.Path(depfile).write_text(f'{out}: {" ".join(map(str, words.seen))}\n', encoding='utf-8')


if __name__ == '__main__':
    main()
