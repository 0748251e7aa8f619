#!/usr/bin/python3
"""bindings.py - whether what C binds to a statement has the names that the statement says.

    bindings.py STAMP DEPFILE PROTO_FOLDER FOLDER...

Of each call of trl_batch_add, _get and their like in the folders' .c files, with the
statement that it names (query/NAME.sql, or a plain one of a declared resource, which is
bound by shared/resource): an argument that the statement does not take, and a parameter
that nothing gives. Where a message is bound too, a parameter must be an argument or a
field of the message, or, where the text does not show which one it is, of any.
"""
import pathlib
import re
import sys

import sqlgen

CALL = re.compile(r'\btrl_(?:batch|tx)_(?:add|get|get_one|run|read|query)\s*\(')
ARGUMENT = re.compile(r'\bTRL_ARG_[A-Z]+\(\s*"([a-z0-9_]+)"')
STATEMENT = re.compile(r'&([a-z0-9_]+)_sql_([a-z0-9_]+)$')
BASE = re.compile(r'&(\w+)(?:->|\.)base$')
PROTO = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|'
                   r'package ([\w.]+);|message (\w+) {|({)|(})|'
                   r'\b(?:optional|repeated|map<[^>]*>)[\w.<>, ]*?(\w+) = \d+')


def messages_of(proto):
    """Name in C -> fields, of each message of a contract."""
    found, package, inside = {}, '', []
    for token in PROTO.finditer(proto):
        named, message, opened, closed, field = token.groups()
        if named:
            package = '__'.join(part.capitalize() for part in named.split('.'))
        elif message or opened:
            inside.append(message)
            found.setdefault('__'.join([package, *filter(None, inside)]), set())
        elif closed:
            inside.pop()
        elif field:
            found['__'.join([package, *filter(None, inside)])].add(field)
    return found


def arguments(text, start):
    """The arguments of the call whose parenthesis opens before start, and its end."""
    depth, out, begin, i, quoted = 1, [], start, start, False
    while depth and i < len(text):
        char = text[i]
        if char == '"' and text[i - 1] != '\\':
            quoted = not quoted
        elif not quoted:
            depth += (char in '([{') - (char in ')]}')
            if char == ',' and depth == 1:
                out.append(text[begin:i].strip())
                begin = i + 1
        i += 1
    out.append(text[begin:i - 1].strip())
    return out


def statements(folder):
    """Name -> parameters of the statements that stand in files below the folder."""
    found = {}
    for path in sorted(folder.rglob('query/*.sql')):
        try:
            for base, text in sqlgen.statements_of(path.stem, path.read_text(), str(path)):
                found[base] = sqlgen.Statement(base, text, str(path), 'x').params
        except sqlgen.Refused:
            pass  # sqlgen itself tells
    return found


def bound_message(argument, before, messages):
    """The message that an argument is (&in->base), by how its function declares the variable."""
    variable = BASE.match(argument)
    declared = variable and re.findall(rf'\b(\w+__V\d+__\w+)\s+\*?{variable[1]}\b', before)
    return declared[-1] if declared and declared[-1] in messages else None


def wrong(text, known, messages):
    """Yields (line, sentence)."""
    anywhere = set().union(*messages.values())
    for call in CALL.finditer(text):
        found = arguments(text, call.end())
        named = next((STATEMENT.search(a) for a in found[:4] if STATEMENT.search(a)), None)
        if named is None or named.group(2) not in known:
            continue
        line, name, params = text.count('\n', 0, call.start()) + 1, named.group(2), known[named.group(2)]
        after = found[[bool(STATEMENT.search(a)) for a in found].index(True) + 1:]
        function = text[:call.start()].rpartition('\n}\n')[2]
        message = bound_message(after[0] if after else '', function, messages)
        fields = messages[message] if message else anywhere
        bound = {n for a in after for n in ARGUMENT.findall(a)}
        for extra in sorted(bound - set(params)):
            yield line, (f'{name}.sql takes no :{extra}; it takes ' +
                         ', '.join(f':{p}' for p in params))
        rest = after[2 if '_get' in call.group(0) else 1:]
        if any(not ARGUMENT.search(a) for a in rest):
            continue  # an argument made elsewhere
        for param in params:
            if param not in bound and (after[:1] == ['NULL'] or param not in fields):
                other = '' if after[:1] == ['NULL'] else \
                    f' and no field of {message}' if message else ' and no message\'s field'
                yield line, f'nothing gives :{param} to {name}.sql: no argument{other} has this name'


def main(stamp, depfile, protos, *folders):
    failed, seen = False, []
    files = list(pathlib.Path(protos).rglob('*.proto'))
    for folder in map(pathlib.Path, folders):
        files += folder.rglob('*.proto')
    messages = {}
    for file in files:
        messages.update(messages_of(file.read_text()))
    for folder in map(pathlib.Path, folders):
        known = statements(folder)
        seen += [str(p) for p in folder.rglob('query/*.sql')]
        for path in sorted(p for p in folder.rglob('*.c') if not p.name.startswith('test_')):
            seen.append(str(path))
            for line, sentence in wrong(path.read_text(), known, messages):
                top = pathlib.Path(protos).parent
                shown = path.relative_to(top) if path.is_relative_to(top) else path
                print(f'{shown}:{line}: {sentence}', file=sys.stderr)
                failed = True
    pathlib.Path(depfile).write_text(f'{stamp}: {" ".join(seen)}\n')
    if not failed:
        pathlib.Path(stamp).write_text('')
    return failed


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
