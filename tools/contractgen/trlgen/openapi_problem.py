"""How a request can end badly: one response for each status, from the conditions of
the method, those of dispatch and of the door, and the faults."""

# What the edge refuses before any method runs: code, title (as rooms/problem.c has it).
DOOR = {
    406: ('NOT_ACCEPTABLE', 'Nothing acceptable to send'),
    408: ('REQUEST_TIMEOUT', 'The request took too long to arrive'),
    411: ('LENGTH_REQUIRED', 'The length is missing'),
    412: ('PROTOCOL_VERSION', 'This version of the protocol is not supported'),
    413: ('TOO_LARGE', 'The body is too large'),
    415: ('UNSUPPORTED_MEDIA_TYPE', 'The body\'s type is not supported'),
}
# What all answers carry, and those that were counted, which are all that a method's
# caller can get but 406: the type is looked at first.
ALWAYS = ['X-Request-Id', 'traceparent']
COUNTED = ['RateLimit', 'RateLimit-Policy']
# What those statuses carry beside. 409: where the key's request still runs.
HEADERS = {401: ['WWW-Authenticate'], 403: ['WWW-Authenticate'], 409: ['Retry-After'],
           415: ['Accept', 'Accept-Encoding', 'Accept-Patch', 'Accept-Post'], 429: ['Retry-After'],
           416: ['Content-Range'], 423: ['Retry-After'], 503: ['Retry-After'], 504: ['Retry-After']}

PROBLEM = {
    'type': 'object',
    'description': 'What went wrong (RFC 9457).',
    'required': ['type', 'title', 'status', 'code', 'trace_id'],
    'properties': {
        'type': {'type': 'string', 'format': 'uri-reference',
                 'description': 'Names the kind of problem, under /problems/.',
                 'examples': ['/problems/invalid']},
        'title': {'type': 'string', 'description': 'The kind of problem, in a phrase.',
                  'examples': ['A value is not acceptable']},
        'status': {'type': 'integer', 'minimum': 400, 'maximum': 599,
                   'description': 'The HTTP status.', 'examples': [422]},
        'detail': {'type': 'string', 'description': 'What went wrong this time.',
                   'examples': ['email should be one e-mail address.']},
        'instance': {'type': 'string', 'format': 'uri-reference',
                     'description': 'The path of the request.',
                     'examples': ['/api/v1/auth/signup']},
        'code': {'type': 'string', 'description': 'The kind of problem, for programs.',
                 'examples': ['INVALID']},
        'trace_id': {'type': 'string', 'pattern': '^[0-9a-f]{32}$',
                     'description': 'Finds the request in the logs.',
                     'examples': ['4bf92f3577b34da6a3ce929d0e0e4736']},
        'errors': {
            'type': 'array', 'maxItems': 16,
            'description': 'The refused fields, one by one.',
            'items': {
                'type': 'object', 'required': ['pointer', 'detail'],
                'properties': {
                    'pointer': {'type': 'string', 'format': 'json-pointer',
                                'description': 'Where (RFC 6901).',
                                'examples': ['/email']},
                    'detail': {'type': 'string', 'description': 'What is wrong there.',
                               'examples': ['should be one e-mail address']},
                },
            },
        },
        'feature': {'type': 'string', 'examples': ['seats'],
                    'description': 'With QUOTA: the feature that is used up, or is not in '
                    'the plan.'},
        'limit': {'type': 'integer', 'format': 'int64', 'examples': [5],
                  'description': 'How much of the feature the plan has.'},
        'used': {'type': 'integer', 'format': 'int64', 'examples': [8],
                 'description': 'How much is used.'},
        'reserved': {'type': 'integer', 'format': 'int64', 'examples': [0],
                     'description': 'How much is reserved in addition, for features that are '
                     'reserved before they are used: storage, by unfinished uploads.'},
        'plan': {'type': 'string', 'examples': ['team'],
                 'description': 'The key of the plan.'},
    },
}


# What methods that speak OFREP answer in place of a problem.
OFREP_FAILURE = {
    'type': 'object',
    'description': 'Why a flag was not evaluated (OFREP).',
    'properties': {
        'key': {'type': 'string', 'description': 'The key of the flag, if one was asked for.',
                'examples': ['sso']},
        'errorCode': {'type': 'string', 'examples': ['FLAG_NOT_FOUND'],
                      'enum': ['PARSE_ERROR', 'INVALID_CONTEXT', 'FLAG_NOT_FOUND', 'GENERAL'],
                      'description': 'The kind of failure.'},
        'errorDetails': {'type': 'string', 'description': 'What went wrong this time.',
                         'examples': ['There is no feature sso.']},
    },
}


def headers(names):
    return {name: {'$ref': f'#/components/headers/{name}'} for name in sorted(names)}


class Problems:
    def __init__(self, contracts):
        self.codes = contracts.codes
        self.names = contracts.code_numbers
        self.components = {}

    def responses(self, method, wants_body):
        """Status to a $ref, for all that may go wrong with the method. What takes a
        body reads the one that comes, though it might do without."""
        door = {406} | (set() if method.in_query else {408, 413, 415}) | (
            {411} if wants_body or method.option('takes') else set()) | (
            {412} if any(f.option('only') for f in method.input.fields) else set())
        by_status = {}
        for number in self.codes_of(method):
            name, options = next((n, o) for n, i, o in self.codes if i == number)
            by_status.setdefault(options.status, []).append((name, options.title))
        for status, kind in DOOR.items():
            if status in door and kind[0] not in dict(by_status.get(status, ())):
                by_status.setdefault(status, []).append(kind)
        if method.protocol == 'OFREP':  # which has no 422
            by_status[400] = by_status.get(400, []) + by_status.pop(422, [])
        return {str(status): self.reference(status, kinds, method)
                for status, kinds in sorted(by_status.items())}

    def codes_of(self, method):
        found = set(method.errors)
        found |= {self.names[n] for n in ('MALFORMED', 'RATE')}
        if method.input.fields or method.writes:
            found.add(self.names['INVALID'])
        if method.option('sees_session'):
            found.add(self.names['UNAUTHENTICATED'])  # it ended meanwhile
        if method.auth != 'PUBLIC':
            found |= {self.names[n] for n in ('UNAUTHENTICATED', 'DENIED')}
        if method.auth == 'TENANT':
            found.add(self.names['NOT_FOUND'])
            found.add(self.names['CONFLICT'])  # an organisation that is being deleted
        return sorted(found | {i for _, i, o in self.codes if o.fault and (
            o.status != 503 or method.writes or i != self.names.get('UNCERTAIN'))})

    def reference(self, status, kinds, method):
        protocol = method.protocol
        fixed = sorted(name for name, _ in method.fixed('answers'))
        name = '-'.join([str(status)] + [code for code, _ in kinds] + ([protocol] if protocol else []) + fixed + (
            ['head'] if method.verb == 'head' else []))
        if name not in self.components:
            self.components[name] = self.response(status, kinds)
            self.components[name]['headers'].update({one: {
                'description': 'As in every answer of the method.', 'schema': {'type': 'string'}} for one in fixed})
            if method.verb == 'head':
                del self.components[name]['content']
            if protocol == 'OFREP':
                self.components[name]['content'] = {'application/json': {
                    'schema': {'$ref': '#/components/schemas/OfrepFailure'},
                    'example': {'errorDetails': kinds[0][1]}}}
        return {'$ref': f'#/components/responses/{name}'}

    def response(self, status, kinds):
        text = '; '.join(f'{title} (`{code}`)' for code, title in kinds) + '.'
        code, title = kinds[0]
        example = {'type': '/problems/' + code.lower().replace('_', '-'), 'title': title,
                   'status': status, 'code': code,
                   'trace_id': '4bf92f3577b34da6a3ce929d0e0e4736'}
        return {'description': text,
                'headers': headers([*ALWAYS, *(COUNTED if status != 406 else []),
                                    *HEADERS.get(status, [])]),
                'content': {'application/problem+json': {
                    'schema': {'$ref': '#/components/schemas/Problem'},
                    'example': example}}}
