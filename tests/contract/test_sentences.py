"""What a caller is told of a failure (`detail` of a problem) is a sentence: it begins with
a capital letter, or with a field's name, and ends with a full stop. What is told of one
field (`errors`) is what follows the field's name, and no sentence.

Looked at are the texts in the calls that refuse something by a condition. A text that
begins or ends with what is put in (%s) is not judged there."""
import glob
import os
import re
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# Only of conditions: of a fault nobody outside reads more than its trace.
CONDITIONS = {'TRL_' + name for name in re.findall(
    r'(?m)^  ([A-Z_]+) = \d+ \[\(code\) = \{ status: \d+ title:',
    open(os.path.join(TOP, 'proto/trellis/error.proto'), encoding='utf-8').read())} - {'TRL_OK'}
CALL = re.compile(r'\b(trl_fail|trl_fail_field|edge_refuse)\s*\(')
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/|[(),]|[^"\'(),/]+|/', re.S)


def arguments(text, at):
    """The arguments of a call whose bracket is before at."""
    found, depth = [''], 1
    for token in TOKEN.finditer(text, at):
        token = token.group(0)
        depth += (token == '(') - (token == ')')
        if depth == 0:
            return [one.strip() for one in found]
        if token == ',' and depth == 1:
            found.append('')
        elif not token.startswith('/*'):
            found[-1] += token
    return []


def texts(argument):
    """What the argument may be: adjacent strings are one, and there may be a choice."""
    for one in re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*)+', argument):
        yield ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', one))


def wrong(text):
    """The texts of the calls of a source that are no sentences, with their lines."""
    for call in CALL.finditer(text):
        given = arguments(text, call.end())
        at = {'trl_fail': 2, 'trl_fail_field': 3}.get(call.group(1), 2)
        if len(given) <= at or call.group(1) != 'edge_refuse' and \
                not CONDITIONS & set(re.findall(r'TRL_[A-Z_]+', given[1])):
            continue
        for said in texts(given[at]):
            if not re.match(r'[A-Z%]|[a-z]+_[a-z]+ ', said) or not re.search(r'([.?!]|%(\.\d+|\.\*)?s)$', said):
                yield text.count('\n', 0, call.start()) + 1, said


class Sentences(unittest.TestCase):
    def test_what_is_told_of_a_failure_is_a_sentence(self):
        found, n = [], 0
        for folder in ('bus', 'services', 'shared'):
            for path in glob.glob(os.path.join(TOP, folder, '**', '*.c'), recursive=True):
                if os.path.basename(path).startswith('test_') or f'{os.sep}test{os.sep}' in path:
                    continue
                with open(path, encoding='utf-8') as file:
                    text = file.read()
                n += len(CALL.findall(text))
                found += [f'{os.path.relpath(path, TOP)}:{line}: {said}' for line, said in wrong(text)]
        self.assertGreater(n, 400)
        self.assertEqual(found, [])

    def test_what_is_no_sentence_is_found(self):
        for call, said in (
            ('trl_fail(ctx, TRL_INVALID, "it is wrong.")', ['it is wrong.']),
            ('trl_fail(ctx, TRL_INVALID,\n "It is (" "wrong, %d)",\n 5)', ['It is (wrong, %d)']),
            ('trl_fail_field(ctx, last ? TRL_GONE : TRL_BUSY, "name", last ? "One" : "Two.")', ['One']),
            ('edge_refuse(request, 405, trl_arena_printf(arena, "no %s.", name))', ['no %s.']),
            ('trl_fail(ctx, TRL_UNAVAILABLE, "the disk")', []),
            ('trl_fail(ctx, TRL_INVALID, "%s: %.*s", a, b, c)', []),
            ('trl_fail(ctx, TRL_GONE, "It is gone.") /* trl_fail(ctx */', []),
        ):
            with self.subTest(call):
                self.assertEqual([text for _, text in wrong(call)], said)


if __name__ == '__main__':
    unittest.main()
