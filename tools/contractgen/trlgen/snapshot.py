"""What clients, other services and stored bytes rely on of the contracts, as plain
dictionaries; and what breaks between two of them."""
from .model import FD, Enum, everybodys

TYPES = {value: name[5:].lower() for name, value in FD.Type.items()}
LEAST, MOST = ('min_len', 'min'), ('max_len', 'max', 'item_max_len')
# Of a method: what may not change at all.
FIXED = ('verb', 'path', 'status', 'input', 'output', 'auth', 'effect', 'permission',
         'tenant_field', 'signs_in', 'stream', 'media_type', 'protocol', 'gives')


def snapshot(contracts, only=None):
    """Of all contracts, or of a product's own: what is Trellis's is promised elsewhere."""
    names = only or [n for n in contracts.files if not n.startswith('google/')
                     and n != 'trellis/options.proto']
    files = [contracts.files[n] for n in sorted(names)]
    return {
        'codes': {n: {'number': i, 'status': o.status} for n, i, o in contracts.codes if not only},
        'methods': {m.full: method_of(m) for f in files for m in f.methods},
        'messages': {m.full[1:]: {f.name: field_of(f) for f in m.fields}
                     for f in files for m in f.messages if m.package != 'trellis'
                     or m.name == 'Empty'},
        'events': {e.type: {'message': m.full[1:], 'published': e.published}
                   for f in files for m in f.messages for e in m.events},
        'kinds': {t.kind: kind_of(t) for f in files for m in f.messages for t in m.tells},
        'enums': {e.full[1:]: dict(e.values) for f in files for e in f.enums
                  if f.package != 'trellis'},
    }


def method_of(method):
    found = {
        'verb': method.verb, 'path': method.path, 'status': method.status,
        'input': method.proto.input_type[1:], 'output': method.proto.output_type[1:],
        'auth': method.auth, 'effect': 'WRITE' if method.writes else 'READ',
        'permission': method.option('permission'),
        'role': method.option('role', 4) if method.option('permission') else None,
        'callers': sorted(method.options.callers) if method.options else [],
        'if_match': bool(method.option('if_match')),
        'tenant_field': method.tenant_field, 'signs_in': method.option('signs_in'),
        'stream': method.option('stream'), 'media_type': method.option('media_type'),
        'protocol': method.protocol,
        'takes': bytes_of(method, 'takes'), 'gives': bytes_of(method, 'gives'),
        'max_body_bytes': method.option('max_body_bytes', 65536),
    }
    return {k: v for k, v in found.items() if v not in (None, [], False, 0)}


def bytes_of(method, which):
    """The types of a body of bytes; None: there is none."""
    body = method.option(which)
    return None if body is None else sorted(body.media_type) or ['*/*']


def kind_of(told):
    """What people have chosen and organisations have written relies on."""
    found = {'message': told.message.full[1:], 'mandatory': told.options.mandatory,
             'own_words': told.options.own_words, 'email': bool(told.offer('email')),
             'inbox': bool(told.offer('inbox'))}
    return {k: v for k, v in found.items() if v}


def field_of(field):
    kind = TYPES[field.proto.type]
    if field.is_message or isinstance(field.target, Enum):
        kind = field.proto.type_name[1:]
    is_text = field.proto.type in (FD.TYPE_STRING, FD.TYPE_BYTES)
    found = {
        'number': field.number, 'type': kind, 'repeated': field.repeated,
        'required': field.required, 'nullable': field.option('nullable', False),
        'output_only': field.option('output_only', False), 'internal': field.internal,
        'secret': field.option('secret', False),
        'format': field.format if field.format != 'NONE' else None,
        'min_len': field.option('min_len', 0),
        'max_len': field.max_len if is_text or field.repeated else None,
        'item_max_len': field.item_max_len, 'min': field.option('min'),
        'max': field.option('max'), 'header': field.header,
        'only': field.option('only'),
    }
    return {k: v for k, v in found.items()
            if v is not None and v is not False and (v != 0 or k in ('min', 'max'))}


def keep_promises(old, new):
    """What a service told by its own declaration stays promised where it is every
    service's now."""
    for name, event in old.get('events', {}).items():
        if name not in new['events'] and everybodys(name) in new['events']:
            new['events'][name] = event


def breaches(old, new):
    """One sentence for each thing of old that new breaks."""
    return sorted([*broken_codes(old['codes'], new['codes']),
                   *broken_methods(old['methods'], new['methods']),
                   *broken_messages(old['messages'], new['messages']),
                   *broken_events(old.get('events', {}), new['events']),
                   *broken_kinds(old.get('kinds', {}), new['kinds']),
                   *broken_enums(old['enums'], new['enums'])])


def broken_codes(old, new):
    for name, code in old.items():
        if name not in new:
            yield f'error code {name} was removed'
        elif new[name] != code:
            yield f'error code {name} changed from {code} to {new[name]}'


def broken_methods(old, new):
    for name, method in old.items():
        now = new.get(name)
        if now is None:
            yield f'method {name} was removed'
            continue
        for key in FIXED:
            if method.get(key) != now.get(key):
                yield (f'method {name}: {key} changed from {method.get(key)} to '
                       f'{now.get(key)}')
        if now.get('role', 0) > method.get('role', 0):
            yield f'method {name}: role was raised'
        callers = set(now.get('callers', []))
        for caller in set(method.get('callers', [])) - callers:
            if '*' not in callers:
                yield f'method {name}: caller {caller} was removed'
        if method.get('if_match') and not now.get('if_match'):
            yield f'method {name}: takes no If-Match any more'
        if now['max_body_bytes'] < method['max_body_bytes']:
            yield f'method {name}: max_body_bytes was lowered'


def broken_messages(old, new):
    for name, fields in old.items():
        now = new.get(name)
        if now is None:
            yield f'message {name} was removed'
            continue
        for field, terms in fields.items():
            if field not in now:
                yield f'field {name}.{field} was removed or renamed'
            else:
                yield from broken_field(f'field {name}.{field}', terms, now[field])
        for field in now.keys() - fields.keys():
            if now[field].get('required'):
                yield f'field {name}.{field} is new and required'
            taken = next((f for f, t in fields.items()
                          if t['number'] == now[field]['number']), None)
            if taken:
                yield f'field {name}.{field} takes the number of {taken}'


def broken_field(name, old, new):
    for key in ('number', 'type', 'repeated', 'header', 'only'):
        if old.get(key) != new.get(key):
            yield f'{name}: {key} changed from {old.get(key)} to {new.get(key)}'
    for key in ('required', 'output_only', 'internal'):
        if new.get(key) and not old.get(key):
            yield f'{name}: became {key}'
    if old.get('internal') and not new.get('internal'):
        yield f'{name}: is shown to clients now'
    if old.get('secret') and not new.get('secret'):
        yield f'{name}: is secret no more'
    if old.get('nullable') and not new.get('nullable'):
        yield f'{name}: is nullable no more'
    if new.get('format') and new.get('format') != old.get('format'):
        yield f'{name}: format changed from {old.get("format")} to {new.get("format")}'
    for key in LEAST:
        if new.get(key) is not None and new[key] > old.get(key, float('-inf')
                                                          if key == 'min' else 0):
            yield f'{name}: {key} was raised to {new[key]}'
    for key in MOST:
        if new.get(key) is not None and new[key] < old.get(key, float('inf')):
            yield f'{name}: {key} was lowered to {new[key]}'


def broken_events(old, new):
    for name, event in old.items():
        now = new.get(name) or new.get(everybodys(name))
        if now is None:
            yield f'event {name} was removed'
        elif now['message'] != event['message']:
            yield f'event {name}: its message changed to {now["message"]}'
        elif event['published'] and not now['published']:
            yield f'event {name} is published no more'


def broken_kinds(old, new):
    for name, kind in old.items():
        now = new.get(name)
        if now is None:
            yield f'kind {name} was removed'
            continue
        if now['message'] != kind['message']:
            yield f'kind {name}: its event\'s message changed to {now["message"]}'
        if now.get('mandatory') and not kind.get('mandatory'):
            yield f'kind {name}: became mandatory'
        for key in ('own_words', 'email', 'inbox'):
            if kind.get(key) and not now.get(key):
                yield f'kind {name}: has no {key} any more'


def broken_enums(old, new):
    for name, values in old.items():
        now = new.get(name)
        if now is None:
            yield f'enum {name} was removed'
            continue
        for value, number in values.items():
            if value not in now:
                yield f'value {value} of enum {name} was removed or renamed'
            elif now[value] != number:
                yield f'value {value} of enum {name} was renumbered'
