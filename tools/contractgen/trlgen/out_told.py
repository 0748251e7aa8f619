"""What people are told: the table of kinds for the catalogue, and told.json, by which
the build looks for their words and checks them (services/notify/words/embed.py)."""
import json

from .lint_tells import tells_of
from .model import FD
from .text import c_string

OFFERS = ['NONE', 'OFF', 'ON']
ROLES = ['NONE', 'VIEWER', 'MEMBER', 'ADMIN', 'OWNER']
TEXTS = ('person', 'address', 'about', 'locale', 'page', 'seal')
FLAGS = ('doer', 'slack', 'mandatory', 'digest', 'own_words')


def kinds_of(contracts):
    return sorted(tells_of(contracts), key=lambda told: told.kind)


def told_rows(contracts):
    """Rows of struct trl_told_kind, rising by name."""
    return '\n'.join(row(told) for told in kinds_of(contracts))


def row(told):
    options = told.options
    events = ''.join(f'&{e.c_name}, ' for e in told.events)
    parts = [f'.name = {c_string(told.kind)}',
             f'.on = (const struct trl_event_type *const[]){{ {events}NULL }}']
    if options.HasField('when'):
        parts += [f'.when_field = {c_string(options.when.field)}',
                  f'.when_value = {c_string(options.when.value)}']
    if told.to == 'members':
        parts.append(f'.members = TRL_{ROLES[options.members]}')
    parts += [f'.{name} = {c_string(getattr(options, name))}' for name in TEXTS
              if getattr(options, name)]
    parts += [f'.{name} = TRL_OFFER_{OFFERS[told.offer(name)]}'
              for name in ('email', 'inbox') if told.offer(name)]
    parts += [f'.{name} = true' for name in FLAGS if getattr(options, name)]
    return '\t{ ' + ',\n\t    '.join(parts) + ' },'


class ToldOutput:
    def __init__(self, contracts):
        self.kinds = kinds_of(contracts)

    def files(self):
        yield 'told.json', json.dumps([self.terms(told) for told in self.kinds], indent=1)

    def terms(self, told):
        options = told.options
        return {
            'kind': told.kind, 'service': told.service,
            'place': f'proto/{told.place.file}:{told.place.line}',
            'event': values(told.message) if told.events else {},
            'by': bool(told.message.shown('by')), 'tenant': not options.of_account,
            'page': bool(options.page), 'mandatory': options.mandatory,
        }


def values(message):
    """What of a message templates may use, as notify's values.c shows it: a text is '',
    a message a dictionary, a list a list of one."""
    found = {}
    for field in message.fields:
        if field.hidden or field.is_map or field.proto.type in (FD.TYPE_DOUBLE, FD.TYPE_FLOAT):
            continue
        inner = field.is_message and not field.is_timestamp and field.target
        value = values(inner) if inner else ''
        found[field.name] = [value] if field.repeated else value
    return found
