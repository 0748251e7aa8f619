"""How a request ends well: what a method answers with, in whole, in part, or where its
client has it already."""
import re

from .known import description
from .openapi_problem import ALWAYS, COUNTED, headers
from .openapi_schema import example_message

CLOUD_EVENT = {
    'type': 'object',
    'description': 'What happened, as a CloudEvent 1.0.2 in structured JSON.',
    'required': ['specversion', 'id', 'source', 'type'],
    'properties': {
        'specversion': {'type': 'string', 'const': '1.0', 'description': 'Always 1.0.'},
        'id': {'type': 'string', 'format': 'uuid', 'description': 'For Last-Event-ID.'},
        'source': {'type': 'string', 'format': 'uri-reference',
                   'description': 'The service that sent it.'},
        'type': {'type': 'string', 'description': 'service.noun.happened'},
        'time': {'type': 'string', 'format': 'date-time', 'description': 'When.'},
        'subject': {'type': 'string', 'format': 'uuid',
                    'description': 'What it happened to.'},
        'tenantid': {'type': 'string', 'format': 'uuid',
                     'description': 'The organisation; absent if it is about the account.'},
        'datacontenttype': {'type': 'string', 'const': 'application/json',
                            'description': 'The media type of data; absent if there is none.'},
        'data': {'type': 'object', 'description': 'As the event\'s type has it.'},
    },
}
# One event of a stream, as a browser's EventSource gives it.
EVENT = {
    'type': 'object',
    'properties': {
        'id': {'type': 'string', 'description': 'For Last-Event-ID.'},
        'event': {'type': 'string', 'description': 'The event\'s type, or reset.'},
        'data': {'type': 'string', 'contentMediaType': 'application/json',
                 'contentSchema': {'$ref': '#/components/schemas/CloudEvent'},
                 'description': 'What happened.'},
    },
}
STREAM_EXAMPLE = (
    'retry: 3000\n\n'
    'id: 01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21\nevent: tenants.tenant.updated\n'
    'data: {"specversion":"1.0","id":"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21",'
    '"source":"/tenants","type":"tenants.tenant.updated",'
    '"datacontenttype":"application/json","data":{}}\n\n: hb\n\n')
# What a 304 says, too (RFC 9110, 15.4.5).
STILL = ('Cache-Control', 'Content-Location', 'ETag', 'Expires', 'Vary')
# What leads to where the bytes are.
ELSEWHERE = ('Cache-Control', 'Location')
# What an answer with all of the bytes does not have.
NOT_OF_ALL = ('Content-Range', 'Location')


class Answers:
    def __init__(self, contracts, schemas):
        self.contracts = contracts
        self.schemas = schemas

    def bound(self, method):
        """The header fields that hold what the reply has, and those always the same."""
        found = {name: {'description': 'A constant.',
                        'schema': {'type': 'string', 'const': value}}
                 for name, value in method.fixed('answers')}
        for field in method.output.fields:
            if field.header and field.header not in (':status', ':permission', 'Content-Type'):
                found[field.header] = {'description': description(field),
                                       'schema': self.schemas.shape(field)}
        return found

    def locates(self, method):
        """Whether what the method makes can be read at its path and its id."""
        return method.verb == 'post' and method.status == 201 and \
            method.output.field('id') and any(
                re.fullmatch(re.escape(method.path) + r'/{\w+}', other.path)
                for other in self.contracts.methods if other.verb == 'get')

    def of(self, method):
        """Status to answer."""
        whole, bound = self.whole(method), self.bound(method)
        asked = {f.header.lower() for f in method.input.fields if f.header}
        out = {str(method.status): whole}
        if 'range' in asked:
            out['206'] = {**whole, 'description': 'The range or ranges that Range asks for.',
                          'headers': {**whole['headers'], **{
                              name: bound[name] for name in bound if name == 'Content-Range'}}}
        if 'if-none-match' in asked or method.revalidates or method.option('tagged'):
            out['304'] = self.no_body(method, 'Unchanged: one of the tags in If-None-Match is still current.', STILL, ['ETag'])
        if method.redirects and method.verb != 'head':
            out['307'] = self.no_body(method, 'The bytes can be read at Location.', ELSEWHERE)
        return out

    def no_body(self, method, text, names, more=()):
        """An answer that has, of the header fields of the method's reply, these only."""
        fixed = dict(method.fixed('answers'))
        return {'description': text, 'headers': {**headers([*ALWAYS, *COUNTED, *more]), **{
            name: header for name, header in self.bound(method).items()
            if name in names or name in fixed}}}

    def whole(self, method):
        names = [*ALWAYS, *COUNTED]
        # As services/edge/rules/cookie.c has it.
        if method.option('signs_in') or method.name == 'LogOut':
            names.append('Set-Cookie')
        if method.takes_key:
            names.append('Idempotency-Replayed')
        if method.output.field('version') or method.option('tagged'):
            names.append('ETag')
        if method.option('media_type') and method.output.field('file_name'):
            names.append('Content-Disposition')
        if method.output.field('next_page_token'):
            names.append('Link')
        if self.locates(method):
            names.append('Location')
        response = {
            'description': 'Done.' if method.status == 204
            else method.output.place.comment or 'Fine.',
            'headers': {**headers(names), **{
                name: header for name, header in self.bound(method).items()
                if method.option('gives') is None or name not in NOT_OF_ALL}}}
        if method.option('stream'):
            self.schemas.components['CloudEvent'] = CLOUD_EVENT
            response['description'] = (
                'Events as they happen, until either side ends the stream. The `data` of each '
                'is a `CloudEvent`; an event `reset` says that missed events are no longer '
                'kept, so read everything again; lines that begin with a colon keep it alive.')
            response['content'] = {'text/event-stream': {
                'schema': {'type': 'string', 'contentMediaType': 'text/event-stream',
                           'contentSchema': EVENT},
                'example': STREAM_EXAMPLE}}
        elif method.option('gives') is not None:
            response['content'] = {'*/*': {}}  # the type is the answer's
        elif method.option('media_type'):
            response['content'] = {method.option('media_type'): {}}  # bytes as they are
        elif method.status != 204 and method.shows_json and method.verb != 'head':
            response['content'] = {'application/json': {
                'schema': self.schemas.reference(method.output),
                'example': example_message(method.output)}}
        return response
