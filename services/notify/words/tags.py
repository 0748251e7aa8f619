"""The tags of built-in words against the values that their kind has: a misspelt name would
come to nothing in every mail. The language is template.h's; of a value '' is a text, a
dictionary a map, and a list one of its items."""
import re

TAG = re.compile(r'{{{(.*?)}}}|{{(.*?)(?:}}|$)', re.S)
NAME = re.compile(r'\.|[a-z0-9_]+(\.[a-z0-9_]+)*')

PERSON = {'email': '', 'display_name': ''}
FRAME = {'account': PERSON, 'product': {'name': '', 'url': ''},
         'sender': {'name': '', 'initial': ''}}
OWN = {  # what digest.c gives, and compose.c around every message
    'digest': {**FRAME, 'items': [{'title': '', 'body': '', 'link': '', 'at': ''}], 'count': '',
               'more': '', 'link': '', 'unsubscribe': ''},
    'layout': {**FRAME, 'subject': '', 'summary': '', 'content': '', 'action': '', 'link': '',
               'unsubscribe': ''},
}


def values_of(kind):
    """What the words of a kind of told.json may use; tell.c gives it."""
    if kind['kind'] in OWN:
        return OWN[kind['kind']]
    found = {**FRAME, 'event': kind['event'], 'at': ''}
    found |= {'tenant': {'id': '', 'name': '', 'slug': ''}} if kind['tenant'] else {}
    found |= {'by': PERSON} if kind['by'] else {}
    found |= {'link': ''} if kind['page'] else {}
    return found if kind['mandatory'] else found | {'unsubscribe': ''}


def look_up(name, scopes):
    """The value, or None and what is there instead."""
    if name == '.':
        return scopes[-1], ''
    first, *rest = name.split('.')
    at = next((s[first] for s in reversed(scopes) if isinstance(s, dict) and first in s), None)
    if at is None:
        return None, 'there is ' + ', '.join(scopes[0])
    for part in rest:
        if not isinstance(at, dict) or part not in at:
            has = ', '.join(at) if isinstance(at, dict) else 'nothing'
            return None, f'{first} has {has}'
        at, first = at[part], part
    return at, ''


def faults(text, values, line):
    """(line, sentence) of each tag that is wrong; the text begins on that line."""
    scopes, opened = [values], []
    for tag in TAG.finditer(text):
        at = line + text.count('\n', 0, tag.start())
        inside = tag[2] or tag[1] or ''
        sign = inside[0] if inside[:1] in ('#', '^', '/', '!') else ''
        name = inside[len(sign):].strip(' \t')
        if not tag[0].endswith('}}'):
            yield at, 'a tag is not closed'
        elif sign == '!':
            continue
        elif not NAME.fullmatch(name) or tag[1] and name != 'content':
            yield at, f'{tag[0]} is no tag; one holds a name like {{{{tenant.name}}}}'
        elif sign == '/':
            if not opened or opened[-1][0] != name:
                yield at, f'{tag[0]} closes what was not opened last'
                return
            scopes = opened.pop()[2]
        else:
            value, instead = look_up(name, scopes)
            if value is None:
                yield at, f'there is no {name} here; {instead}'
            elif not sign and value != '':
                yield at, f'{name} is no text; write {{{{#{name}}}}}'
            if sign:
                opened.append((name, at, scopes))
            if sign == '#':
                scopes = scopes + [value[0] if isinstance(value, list) else value]
    for name, at, _ in opened:
        yield at, f'{name} is opened and not closed'
