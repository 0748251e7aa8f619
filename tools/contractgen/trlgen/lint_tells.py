"""What a declaration of what people are told may not be (trellis.tells)."""
import re

from .model import FD, Enum

KIND = re.compile(r'[a-z][a-z0-9]*(_[a-z0-9]+)*$')
TAG = re.compile(r'{{(.*?)}}')
LAYOUT = 'layout'  # the frame of all mails; notify's words/LANGUAGE/layout.txt


def lint_tells(contracts, tell):
    """Those of all contracts together, for a kind is one of the whole installation."""
    kinds = {}
    for told in tells_of(contracts):
        def say(sentence, told=told):
            tell(told.place, f'kind {told.kind or "without a name"} of {told.message.name} '
                 + sentence)

        first = kinds.setdefault(told.kind, told)
        if first is not told:
            say(f'is declared twice; proto/{first.place.file}:{first.place.line} has it')
        if not KIND.match(told.kind) or len(told.kind) > 60:
            say('has no name in lower_snake_case of at most 60 characters')
        if told.kind == LAYOUT:
            say('has the name of the frame of all mails')
        lint_on(told, say)
        lint_when(told, say)
        lint_whom(told, say)
        lint_channels(told, say)
        lint_page(told, say)


def tells_of(contracts):
    return [told for file in contracts.files.values() for message in file.messages
            for told in message.tells]


def lint_on(told, say):
    known = {e.type for e in told.message.events}
    if not told.options.on and not told.options.without_event:
        say('does not say on which event (on)')
    if told.options.on and told.options.without_event:
        say('is on an event and without_event')
    for name in told.options.on:
        if name not in known:
            say(f'is on {name}, which is no event of this message')


def lint_when(told, say):
    if not told.options.HasField('when'):
        return
    path, value = told.options.when.field, told.options.when.value
    field = told.message.shown(path)
    if field is None:
        say(f'looks at {path!r} (when), which is no field that the event shows')
    elif isinstance(field.target, Enum):
        if value not in dict(field.target.values):
            say(f'wants {value!r} of {path} (when), which is none of its values')
    elif field.proto.type not in (FD.TYPE_STRING, FD.TYPE_BOOL) or not value:
        say(f'looks at {path} (when), which is neither an enum nor a text with a value')


def lint_whom(told, say):
    options, only_slack = told.options, told.to is None
    if only_slack and (not options.slack or told.offer('email') or told.offer('inbox')):
        say('names neither a person, an address nor members to tell')
    if options.about and not only_slack:
        say('is about somebody, which only Slack is told')
    for name, wants in (('person', is_id), ('about', is_id), ('address', is_address),
                        ('locale', is_text)):
        path = getattr(options, name)
        field = told.message.shown(path) if path else None
        if path and field is None:
            say(f'has {name} {path!r}, which is no field that the event shows')
        elif path and not wants(field):
            say(f'has {name} {path}, which is no {wants.__doc__}')
    if told.to == 'members' and options.of_account:
        say('is told to members, and of an account, which has none')
    by = told.message.shown('by')
    if options.person == 'by' and not options.doer:
        say('is told to by, who did it: say doer as well')
    if options.doer and (by is None or not is_id(by) or told.to == 'address'):
        say('is told to who did it (doer), and the event has no field by with an id')


def is_id(field):
    """field of format ID"""
    return field.format == 'ID'


def is_address(field):
    """text of format EMAIL or of the name email"""
    return field.proto.type == FD.TYPE_STRING and (
        field.format == 'EMAIL' or field.name == 'email')


def is_text(field):
    """text"""
    return field.proto.type == FD.TYPE_STRING


def lint_channels(told, say):
    options = told.options
    if not (told.offer('email') or told.offer('inbox') or options.slack):
        say('is told by no channel (email, inbox, slack)')
    if told.offer('inbox') and told.to == 'address':
        say('goes to an address, which has no inbox')
    if options.mandatory and options.digest:
        say('is mandatory and may wait for a digest')
    if options.digest and not told.offer('email'):
        say('may go into a digest and is not told by e-mail')
    if options.of_account and (options.slack or options.own_words):
        say('is of an account, and an organisation has its Slack or own words for it')


def lint_page(told, say):
    options, message = told.options, told.message
    tags = TAG.findall(options.page)
    if options.page and not options.page.startswith('/'):
        say(f'has page {options.page!r}, which does not begin with /')
    if bool(options.seal) != ('token' in tags):
        say('has {{token}} in its page and no seal, or a seal and no {{token}}')
    if options.seal and (told.offer('inbox') or options.slack):
        say('has a token, which is only for a mail')
    sealed = message.field('sealed_token')
    if options.seal and not (sealed and sealed.internal and sealed.proto.type == FD.TYPE_BYTES):
        say('has a seal, and the event has no internal bytes sealed_token')
    if options.seal and not options.seal.startswith(told.service + ' '):
        say(f'has seal {options.seal!r}, which does not begin with "{told.service} "')
    for tag in tags:
        field = message.shown(tag[6:]) if tag.startswith('event.') else None
        if tag == 'tenant.id' and options.of_account:
            say('has {{tenant.id}} in its page, and is of an account')
        elif tag not in ('token', 'tenant.id') and not (field and (
                field.format in ('ID', 'SLUG') or isinstance(field.target, Enum))):
            say(f'has {{{{{tag}}}}} in its page; it may hold {{{{token}}}}, '
                '{{tenant.id}} and ids, slugs and enums of the event')
