"""How long files and functions may be: 700 lines in a file stop the build, and over
400 in a file or 60 in a function the comment at its head has to say why ("Over 400
lines: ...").

  sizes.py TOP                  tells both
  sizes.py TOP STAMP DEPFILE    for the build, only files over 700 lines; runs again
                                when a file or a folder has changed
"""
import os
import re
import sys

FOLDERS = ('bus', 'proto', 'services', 'shared', 'tests', 'tools')
STOPS, REASON, FUNCTION = 700, 400, 60
WHY = 'Over %d lines: '
# A service's contract is one file, most of which is the document it becomes.
CONTRACT = 'proto/'
# Programs of the bench stand on their own, and need give no reason.
FREE = 'tests/bench/'


def is_script(path):
    with open(path, 'rb') as file:
        return file.read(2) == b'#!'


def sources(top):
    """Every folder, and every file that a person writes and another reads."""
    for folder in FOLDERS:
        for path, inside, names in os.walk(os.path.join(top, folder)):
            inside[:] = sorted(n for n in inside if n not in ('node_modules', '__pycache__', 'corpus'))
            yield path, False
            for name in sorted(names):
                full = os.path.join(path, name)
                if name.endswith(('.c', '.h', '.py', '.proto', '.sql', '.sh', '.js', 'meson.build')) or \
                        ('.' not in name and is_script(full)):
                    yield full, True


def functions(lines):
    """Line and length of each C function, and the comment before it."""
    start = None
    for i, line in enumerate(lines):
        if line == '{':
            start = i
        elif line == '}' and start is not None:
            before, top = [], start - 1
            while top >= 0 and lines[top]:
                before.append(lines[top])
                top -= 1
            yield start + 1, i - start + 1, '\n'.join(before)
            start = None


def head(text):
    """The comment that a file opens with."""
    found = re.match(r'/\*.*?\*/|(?:#[^\n]*\n)*\s*""".*?"""|(?:(?:#|//)[^\n]*\n)+', text, re.S)
    return ' '.join(found[0].replace('*', ' ').split()) if found else ''


def findings(path, name, reasons):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    lines = text.split('\n')
    n = len(lines) - 1
    if name.startswith(CONTRACT):
        return
    if n > STOPS:
        yield f'{name}: {n} lines; a file has at most {STOPS}: split it'
    if not reasons:
        return
    if STOPS >= n > REASON and not name.startswith(FREE) and WHY % REASON not in head(text):
        yield f'{name}: {n} lines; its first comment says why ("{WHY % REASON}...")'
    if name.endswith('.c'):
        for line, length, before in functions(lines):
            if length > FUNCTION and WHY % FUNCTION not in before:
                yield f'{name}:{line}: {length} lines; the function\'s comment says why ' \
                    f'("{WHY % FUNCTION}...")'


def main(top, stamp=None, depfile=None):
    wrong, seen = [], []
    for path, is_file in sources(top):
        seen.append(path)
        if is_file:
            wrong += findings(path, os.path.relpath(path, top), stamp is None)
    print('\n'.join(wrong), end='\n' if wrong else '')
    if wrong:
        return 1
    if not stamp:
        return 0
    with open(depfile, 'w', encoding='utf-8') as file:
        file.write(f'{stamp}: ' + ' '.join(p.replace(' ', r'\ ') for p in seen) + '\n')
    with open(stamp, 'w', encoding='utf-8'):
        return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
