"""What a method may not be over HTTP: its path, its query, its header fields."""
import re

from .model import FD

SEGMENT = re.compile(r'([a-z0-9][a-z0-9._-]*|{[a-z][a-z0-9_]*})$')
ROOTS = {'OFREP': '/ofrep/v1/'}  # of protocols
SIGNED = '/m/'  # of paths that are taken byte for byte
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
# What the edge reads and writes by itself, so that no message can hold it.
RESERVED = {'authorization', 'cookie', 'set-cookie', 'connection', 'transfer-encoding', 'host',
            'date', 'expect', 'idempotency-key', 'traceparent', 'x-request-id', 'x-tenant-id',
            'x-csrf-token', 'x-http-method-override', 'origin', 'vary', 'accept-encoding',
            'content-encoding', 'ratelimit', 'ratelimit-policy', 'upgrade', 'te', 'trailer'}


BOUND_MAX = 16  # of what an answer has room for


def lint_http(method, say):
    root = SIGNED if method.exact else ROOTS.get(method.protocol, '/api/v1/')
    if method.exact and (method.auth != 'PUBLIC' or method.writes or any(
            field.proto.type != FD.TYPE_STRING for field in method.input.fields
            if field.name in method.path_names)):
        say('has an exact path, and is not PUBLIC, writes, or has a path variable that is no '
            'text')
    if not method.path.startswith(root):
        say(f'has path {method.path}, which is not under {root}')
    if method.option('tagged') and (method.writes or method.revalidates):
        say('is tagged, and writes or has the ETag of a version')
    for part in method.path.strip('/').split('/'):
        if not SEGMENT.match(part):
            say(f'has the path segment {part!r}; a segment is a word or a {{variable}}')
    if len(set(method.path_names)) != len(method.path_names):
        say('names a path variable twice')
    if method.verb in ('get', 'head') and method.writes:
        say(f'is a {method.verb.upper()} that writes')
    lint_headers(method, say)
    lint_bodies(method, say)
    if method.tenant_field and method.tenant_field not in method.path_names:
        say(f'takes its tenant from {method.tenant_field}, which is not in the path')
    fields = {f.name: f for f in method.input.fields}
    for name in method.path_names:
        field = fields.get(name)
        if field is None:
            say(f'has the path variable {name}, which its request does not have')
        elif field.repeated or field.is_message or field.proto.type in (
                FD.TYPE_DOUBLE, FD.TYPE_FLOAT, FD.TYPE_BOOL):
            say(f'has the path variable {name}, which is not an id, text, number or enum')
        elif field.option('secret'):
            say(f'has the secret {name} in its path, where logs would show it')
    if method.option('stream') and (
            method.verb != 'get' or not {'tenant_id', 'last_event_id'} <= set(fields)):
        say('is a stream: a GET that takes tenant_id and last_event_id')
    if method.option('media_type'):
        body, name = (method.output.field(n) for n in ('body', 'file_name'))
        if not body or body.proto.type != FD.TYPE_BYTES or body.repeated:
            say('has a media_type, and its reply no bytes called body')
        if name and (name.proto.type != FD.TYPE_STRING or name.repeated):
            say('has a media_type, and a file_name that is no string')
        if not re.fullmatch(r'[a-z]+/[a-z0-9.+-]+', method.option('media_type')) or method.option('stream'):
            say('has a media_type that is none')
    if method.in_query:
        for field in fields.values():
            if field.name in method.path_names or field.internal:
                continue
            if field.is_message and not field.is_timestamp:
                say(f'is a {method.verb.upper()} and takes the message {field.name}, '
                    'which no query holds')
            if field.option('secret'):
                say(f'takes the secret {field.name} from the query, where logs would show it')


def lint_headers(method, say):
    for message, is_reply in ((method.input, False), (method.output, True)):
        names = set()
        for field in message.fields:
            name = field.header
            if field.option('only') and (is_reply or name is None or
                                         field.proto.type != FD.TYPE_STRING):
                say(f'takes one value only of {field.name}, which is no text in a header field')
            if name is None:
                continue
            if field.repeated or field.is_message and not (is_reply and field.is_timestamp) or \
                    field.proto.type in (FD.TYPE_DOUBLE, FD.TYPE_FLOAT) or \
                    field.proto.type == FD.TYPE_BYTES and field.format != 'ID':
                say(f'has the field {field.name} bound to {name}, which is no text, number, '
                    'id or enum')
            if name == ':permission' and is_reply and method.option('gives') is not None:
                if field.proto.type != FD.TYPE_UINT32:
                    say(f'has a permission in {field.name}, which is no uint32')
            elif name == ':status' and is_reply:
                if field.proto.type != FD.TYPE_UINT32:
                    say(f'has its status in {field.name}, which is no uint32')
            elif name == ':method' and not is_reply:
                if field.proto.type != FD.TYPE_STRING:
                    say(f'has its verb in {field.name}, which is no string')
            elif name.lower() == 'vary' and is_reply:
                pass
            elif not TOKEN.match(name) or name.lower() in RESERVED:
                say(f'has the field {field.name} bound to {name!r}, which no message may hold')
            if name.lower() in names:
                say(f'binds {name} twice')
            names.add(name.lower())
        if len(names) > BOUND_MAX:
            say(f'binds {len(names)} header fields of one message; {BOUND_MAX} at most')
        if is_reply and 'content-length' in names and method.option('gives') is None:
            say('binds Content-Length, and gives no bytes')
        for which in ('answers', 'offers') if is_reply else ():
            for name, value in method.fixed(which):
                if not TOKEN.match(name) or not value.isascii() or not value.isprintable():
                    say(f'has {name!r} among its {which}, which is no header field')
                elif name.lower() in RESERVED | {'content-length', 'cache-control'} | names:
                    say(f'has {name} among its {which}, which is made otherwise')


def lint_bodies(method, say):
    takes, gives = method.option('takes'), method.option('gives')
    rest = [f.name for f in method.input.fields
            if not f.internal and f.name not in method.path_names]
    if takes is not None and (method.in_query or rest):
        say(f'takes bytes, and {rest[0]} would be in a JSON body' if rest else
            f'takes bytes and is a {method.verb.upper()}')
    if gives is not None and method.shows_json:
        say('gives bytes, and its reply has fields that no header field holds')
    if (takes is not None or gives is not None) and (
            method.option('stream') or method.option('media_type') or method.option('if_match')
            or method.option('tagged')):
        say('takes or gives bytes: what its answer is, and If-Match, its own header fields hold')
    if method.redirects and (gives is None or not any(
            f.header == 'Location' for f in method.output.fields)):
        say('redirects, and gives no bytes or binds no Location')
    if method.option('unkeyed') and not method.writes:
        say('is unkeyed, and only reads')
    if takes is not None and takes.form and takes.media_type:
        say(f'takes a form, and only {takes.media_type[0]}')
    for kind in takes.media_type if takes is not None else ():
        if not re.fullmatch(r'[a-z]+/[a-z0-9.+-]+', kind):
            say(f'takes {kind!r}, which is no media type')
