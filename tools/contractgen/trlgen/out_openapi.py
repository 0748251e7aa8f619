"""The OpenAPI 3.1 document of all contracts: openapi.json, and openapi.c with the
same bytes for the edge to serve."""
import json
import re

from .known import description
from .openapi_answer import Answers
from .openapi_problem import ALWAYS, OFREP_FAILURE, PROBLEM, Problems, headers
from .openapi_schema import Schemas, example_message

ABOUT = '''\
Sign-up and sessions, organisations and their members, plans and invoices, files,
notifications, webhooks and event streams: the HTTP API of Trellis.

Times are RFC 3339 in UTC, ids are UUIDs of version 7. Absent fields are left out, never
null; an unknown field in a request is an error. Lists are read page by page with
`page_size` and `page_token`. Every problem has the same form
(`application/problem+json`). A request that cannot be read at all is refused before any
method is found, with 400, 408, 414, 417, 431, 501, 503 or 505.'''

HEADERS = {
    'Accept': ('The types of body that are accepted.', 'application/json'),
    'Accept-Encoding': ('The content codings that are accepted, if the body had another.',
                        'identity'),
    'Accept-Patch': ('The patch types that are accepted (RFC 5789).',
                     'application/merge-patch+json, application/json'),
    'Accept-Post': ('The types of bytes that are accepted.',
                    'application/offset+octet-stream'),
    'Allow': ('The methods of this path.', 'POST, OPTIONS'),
    'Content-Disposition': ('The name to save it under (RFC 6266).',
                            'attachment; filename="INV-000042.pdf"'),
    'Content-Range': ('How many bytes there are.', 'bytes */10'),
    'ETag': ('The version, in quotes; for If-Match and If-None-Match.', '"3"'),
    'Link': ('The next page (RFC 8288, rel="next").',
             '</api/v1/tenants?page_token=AbC>; rel="next"'),
    'Location': ('The path of what was created.',
                 '/api/v1/tenants/01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21'),
    'RateLimit': ('How many requests are left, and in how many seconds one more will be '
                  '(draft 11).',
                  '"person-read";r=599;t=1'),
    'RateLimit-Policy': ('The limits that the request counted against.',
                         '"person-read";q=600;w=60'),
    'Set-Cookie': ('The session cookie, if asked for; at the end of the session an expired one.',
                   '__Host-session=trs_...; Path=/; Secure; HttpOnly; SameSite=Lax'),
    'Retry-After': ('Seconds to wait before asking again.', '1'),
    'Idempotency-Replayed': ('true if this is the stored answer of an earlier request.', 'true'),
    'WWW-Authenticate': ('How to sign in, and what is wrong with the token, if one was sent '
                         '(RFC 6750).', 'Bearer realm="trellis", error="invalid_token"'),
    'X-Request-Id': ('The request\'s id: yours, or a new one.', '7f3b2c'),
    'traceparent': ('The trace of the request: yours, or a new one (W3C).',
                    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
}
PARAMETERS = {
    'Idempotency-Key': ('Runs the request once however often it is sent: the same key '
                        'and body give the stored answer for 24 hours. Bare or quoted.',
                        {'type': 'string', 'pattern':
                         r'^([!#-\[\]-~]{1,255}|"[!#-\[\]-~]{1,255}")$'},
                        'b7f3c1c0-order-17'),
    'If-Match': ('The ETag that was read; 412 if the resource has changed since.',
                 {'type': 'string'}, '"3"'),
    'If-None-Match': ('An ETag; 304 if the resource still has it.',
                      {'type': 'string'}, '"3"'),
    'Last-Event-ID': ('The id of the last event received; what happened since is sent '
                      'first. Browsers send it by themselves.',
                      {'type': 'string', 'format': 'uuid'},
                      '01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21'),
    'X-CSRF-Token': ('`csrf_token` of `GET /api/v1/me`; needed with the session cookie '
                     'only.', {'type': 'string'},
                     'u3Jx0mO8Jd1cK5tYw2nBgQ7vLr9TzXa4HfEsPiDkWbM'),
    'X-Tenant-Id': ('The tenant; may be left out with an API key, or by a member of just one.',
                    {'type': 'string', 'format': 'uuid', 'pattern': '[1-9A-Fa-f]'},
                    '01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21'),
}
# What OpenAPI describes by other means than a parameter.
NOT_PARAMETERS = ('accept', 'content-type', 'content-length', ':method')
SECURITY = {
    'bearer': {'type': 'http', 'scheme': 'bearer',
               'description': 'A session token (trs_...) or an API key (trl_...).'},
    'session': {'type': 'http', 'scheme': 'bearer',
                'description': 'A session token (trs_...): no API key opens what is a '
                'person\'s own (403).'},
    'cookie': {'type': 'apiKey', 'in': 'cookie', 'name': '__Host-session',
               'description': 'The session cookie that signing in sets if asked to; '
               'unsafe methods then need Origin and X-CSRF-Token.'},
}
# By auth of options.proto, what signs a request; any one of it is enough.
SIGNS = {'PUBLIC': [], 'SESSION': [{'session': []}, {'cookie': []}],
         'TENANT': [{'bearer': []}, {'cookie': []}],
         'SEES': [{}, {'session': []}, {'cookie': []}]}
# The form that a mail program posts to a link of one click (RFC 8058).
ONE_CLICK = {
    'required': False,
    'description': 'Optional: the form that mail programs send (RFC 8058). It adds '
    'nothing to the path.',
    'content': {kind: {
        'schema': {'type': 'object', 'properties': {
            'List-Unsubscribe': {'type': 'string', 'description': 'Always One-Click.'}}},
        'example': {'List-Unsubscribe': 'One-Click'},
    } for kind in ('application/x-www-form-urlencoded', 'multipart/form-data')},
}
SOURCE = '''\
/* Made by contractgen from all contracts. */
#include <trl/routes.h>

const unsigned char trl_openapi_json[] = {{
{rows}
}};
const size_t trl_openapi_json_len = sizeof trl_openapi_json;
'''


def form(fields):
    """Fields of text, and a file."""
    return {'type': 'object', 'required': ['file'], 'properties': {
        **{name: {'type': 'string', 'description': f'The file\'s {name}.'} for name in fields},
        'file': {'type': 'string', 'contentMediaType': 'application/octet-stream',
                 'description': 'The file, as the last part.'}}}


class Head:
    """The HEAD of a method that gives bytes by GET: the same without them, and without
    ranges, which are of GET only (RFC 9110, 14.2)."""
    verb = 'head'

    def __init__(self, method, but):
        self.of = method
        self.errors = [code for code in method.errors if code != but]

    def __getattr__(self, name):
        return getattr(self.of, name)


class OpenapiOutput:
    def __init__(self, contracts):
        self.contracts = contracts
        self.schemas = Schemas(contracts)
        self.answers = Answers(contracts, self.schemas)
        self.problems = Problems(contracts)

    def files(self):
        text = json.dumps(self.document(), ensure_ascii=False, separators=(',', ':'))
        yield 'openapi.json', text
        data = text.encode()
        rows = '\n'.join('\t' + ''.join(f'{byte},' for byte in data[at:at + 20])
                         for at in range(0, len(data), 20))
        yield 'openapi.c', SOURCE.format(rows=rows)

    def document(self):
        paths = {}
        for method in sorted((m for m in self.contracts.methods if m.verb),
                             key=lambda m: (m.path, m.verb)):
            paths.setdefault(method.path, {})[method.verb] = self.operation(method)
            if method.verb == 'get' and method.option('gives') is not None:
                paths[method.path]['head'] = self.head(method)
            if method.fixed('offers'):
                paths[method.path]['options'] = self.offers(method)
        self.schemas.components['Problem'] = PROBLEM
        if any(m.protocol == 'OFREP' and m.verb for m in self.contracts.methods):
            self.schemas.components['OfrepFailure'] = OFREP_FAILURE
        said = json.dumps([paths, self.problems.components])  # what is not is left out

        def asked(kind, table):
            return ((name, *row) for name, row in table.items() if f'/{kind}/{name}"' in said)
        return {
            'openapi': '3.1.0',
            'info': {'title': 'Trellis', 'version': '1', 'description': ABOUT,
                     'license': {'name': 'Apache-2.0', 'identifier': 'Apache-2.0'}},
            'servers': [{'url': '/'}],
            'tags': [{'name': file.service_name, 'description': place.comment}
                     for file, _, place in self.contracts.services],
            'paths': paths,
            'components': {
                'schemas': dict(sorted(self.schemas.components.items())),
                'responses': dict(sorted(self.problems.components.items())),
                'parameters': {name: {'name': name, 'in': 'header', 'description': text,
                                      'schema': schema, 'example': example}
                               for name, text, schema, example in asked('parameters', PARAMETERS)},
                'headers': {name: {'description': text, 'schema': {'type': 'string'},
                                   'example': example}
                            for name, text, example in asked('headers', HEADERS)},
                'securitySchemes': SECURITY,
            },
        }

    def operation(self, method):
        comment = method.place.comment
        operation = {
            'operationId': method.name[0].lower() + method.name[1:],
            'tags': [method.service],
            'summary': re.split(r'(?<=[.!?])\s', comment)[0].rstrip('.'),
            'description': self.describe(method),
            'security': SIGNS['SEES' if method.option('sees_session') else method.auth],
            'parameters': self.parameters(method),
        }
        body = self.body(method)
        if body:
            operation['requestBody'] = body
        operation['responses'] = {**self.answers.of(method),
                                  **self.problems.responses(
                                      method, bool(body) and body['required'])}
        if method.option('permission'):
            operation['x-permission'] = method.option('permission')
        if method.feature:
            operation['x-feature'] = method.feature
        return {k: v for k, v in operation.items() if v or k == 'security'}

    def head(self, method):
        operation = self.operation(Head(method, self.contracts.code_numbers['RANGE']))
        name = re.sub('^Get', '', method.name)
        operation.update({
            'operationId': 'head' + name,
            'summary': operation['summary'] + ': the header fields only',
            'parameters': [p for p in operation['parameters']
                           if p.get('name') not in ('Range', 'If-Range')]})
        operation['responses'].pop('206', None)
        operation['responses'][str(method.status)].pop('content', None)
        return operation

    def offers(self, method):
        """OPTIONS says what the server offers; nobody needs to sign it."""
        fixed = {name: {'description': 'A constant.',
                        'schema': {'type': 'string', 'const': value}}
                 for name, value in method.fixed('offers')}
        return {
            'operationId': method.name[0].lower() + method.name[1:] + 'Options',
            'tags': [method.service],
            'summary': 'What the server offers here',
            'description': 'The methods of the path, and the extensions that are supported. '
            'Counts against no limit.',
            'security': [],
            'parameters': [self.parameter(method.input.field(name), 'path')
                           for name in method.path_names],
            'responses': {'204': {
                'description': 'Done.', 'headers': {**headers([*ALWAYS, 'Accept-Patch', 'Allow']), **fixed}}}}

    @staticmethod
    def describe(method):
        parts = [method.place.comment]
        if method.option('permission'):
            parts.append(f'Needs the permission `{method.option("permission")}`.')
        if method.feature:
            parts.append(f'Needs the feature `{method.feature}` of the plan; without it the '
                         'answer is 403 `QUOTA`.')
        begins = 'begins to answer' if method.option('stream') else 'answers'
        parts.append(f'Counts against the limit `{method.rate}`; {begins} within '
                     f'{method.option("timeout_ms", 5000)} ms.')
        return '\n\n'.join(parts)

    def parameters(self, method):
        out = []
        for name in method.path_names:
            out.append(self.parameter(method.input.field(name), 'path'))
        for field in method.input.fields if method.in_query else ():
            if field.name not in method.path_names and not field.internal:
                out.append(self.parameter(field, 'query'))
        out += [self.parameter(f, 'header') for f in method.input.fields
                if f.header and f.header.lower() not in NOT_PARAMETERS]
        names = []
        reads = method.verb in ('get', 'head')
        if method.auth != 'PUBLIC' and not reads:
            names.append('X-CSRF-Token')
        if method.auth == 'TENANT' and not method.tenant_field:
            names.append('X-Tenant-Id')
        if not reads and not method.option('unkeyed'):  # else a key is taken for nothing
            names.append('Idempotency-Key')
        if method.option('if_match'):
            names.append('If-Match')
        if method.revalidates or method.option('tagged'):
            names.append('If-None-Match')
        if method.option('stream'):
            names.append('Last-Event-ID')
        return out + [{'$ref': f'#/components/parameters/{n}'} for n in names]

    def parameter(self, field, where):
        schema = self.schemas.shape(field)
        if where == 'header' and field.option('example') is None:
            schema.pop('examples', None)  # a made-up one would ask for something
        out = {'name': field.header or field.name, 'in': where, 'description': description(field),
               'schema': schema}
        if where == 'path' or field.needed:
            out['required'] = True
        return {k: v for k, v in out.items() if v}

    def body(self, method):
        takes = method.option('takes')
        if takes is not None:
            kinds = list(takes.media_type) or ['application/octet-stream', '*/*']
            forms = {'multipart/form-data': {'schema': form(takes.form)}} if takes.form else {}
            return {'required': not takes.optional, 'description': 'Bytes as they are' + (
                f', at most {takes.max_bytes:,} of them.' if takes.max_bytes else '.'),
                'content': {**{kind: {} for kind in kinds}, **forms}}
        if method.in_query:
            return None
        fields = [f for f in method.input.fields
                  if not f.internal and f.name not in method.path_names]
        extra = {}
        if method.option('signs_in') and not method.input.field('cookie'):
            extra['cookie'] = {'type': 'boolean', 'default': False, 'description':
                               'Set the session cookie, and leave the token out.'}
        if not fields and not extra:
            return ONE_CLICK if method.auth == 'PUBLIC' else None
        schema = self.schemas.reference(method.input, set(method.path_names), extra)
        return {'required': method.verb in ('patch', 'put') or any(f.required for f in fields),
                'description': f'At most {method.option("max_body_bytes", 65536):,} bytes.',
                'content': {kind: {
                    'schema': schema,
                    'example': example_message(method.input, set(method.path_names))}
                            for kind in ('application/json', 'application/merge-patch+json')[
                                :2 if method.verb == 'patch' else 1]}}
