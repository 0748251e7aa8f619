#!/usr/bin/python3
"""embed_templates.py OUT FILE... - the built-in templates as a C table.

A file templates/LOCALE/KIND.txt begins with "subject:", "summary:" and "action:" lines;
then come "--- text" and "--- html". The inner HTML is written plainly (p, strong, code,
table with th and td, div.item, .small); mail programs want the style in each element, and
get it here."""
import pathlib
import re
import sys

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


def parts(path):
    head, text, html = re.split(r'^--- (?:text|html)\n', path.read_text(encoding='utf-8'),
                                flags=re.M)
    fields = dict(line.split(': ', 1) for line in head.splitlines())
    fields |= {'text': text.rstrip('\n') + '\n', 'html': html.rstrip('\n') + '\n'}
    if path.stem != 'layout':
        fields['html'] = styled(fields['html'])
    return fields


def literal(text):
    lines = text.split('\n')
    quoted = []
    for i, line in enumerate(lines):
        end = '\\n' if i + 1 < len(lines) else ''
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?')
        if line or end:
            quoted.append(f'"{line}{end}"')
    return '\n\t    '.join(quoted) or '""'


def main():
    out, *files = sys.argv[1:]
    paths = sorted(map(pathlib.Path, files), key=lambda p: (p.stem, p.parent.name))
    with open(out, 'w', encoding='utf-8') as file:
        file.write('/* Made by embed_templates.py. */\n#include "words/words.h"\n\n'
                   'const struct notify_words notify_words_built_in[] = {\n')
        for path in paths:
            file.write(f'\t{{ .kind = "{path.stem}", .locale = "{path.parent.name}"')
            for name, text in parts(path).items():
                file.write(f',\n\t  .{name} =\n\t    {literal(text)}')
            file.write(' },\n')
        file.write('};\nconst size_t notify_words_built_in_count =\n'
                   '    sizeof notify_words_built_in / sizeof notify_words_built_in[0];\n')


if __name__ == '__main__':
    main()
