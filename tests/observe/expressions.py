"""expressions.py - what the expressions of rules and dashboards read."""
import json
import os
import re

import yaml

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../k8s/observability')
WORDS = {'and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'ignoring', 'group_left',
         'group_right', 'inf', 'nan'}


def files(kind):
    folder = os.path.join(FOLDER, kind)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def rules():
    """Each rule of each file."""
    for path in files('rules'):
        with open(path, encoding='utf-8') as file:
            for group in yaml.safe_load(file)['groups']:
                yield from group['rules']


def dashboards():
    """Each dashboard's file and what is in it."""
    for path in files('dashboards'):
        with open(path, encoding='utf-8') as file:
            yield os.path.basename(path), json.load(file)


def queries(dashboard, window='1m', **variables):
    """A dashboard's expressions as Grafana would ask them."""
    values = {'__rate_interval': window, **variables}
    for panel in dashboard['panels']:
        for target in panel['targets']:
            yield panel['title'], re.sub(r'\$(\w+)', lambda m: values[m[1]], target['expr'])


def names(expression):
    """The series that an expression names."""
    text = re.sub(r'"[^"]*"', '', expression)
    text = re.sub(r'\{[^}]*\}|\[[^]]*\]', ' ', text)
    text = re.sub(r'\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)', ' ', text)
    text = re.sub(r'\b[a-z_0-9]+\s*\(', '(', text)
    return set(re.findall(r'(?<![\w:.])[a-z_:][\w:]*', text)) - WORDS
