"""expected.py - what is expected to be there, as recording rules.

All rules of k8s/observability go by the label `service`, and need no line for the next
service. Only that something is missing altogether cannot be seen in what is scraped."""

PATH = 'observability/rules/services.yml'
HEAD = '''# The services, and what else is scraped, that are expected to be there. Made by k8s/generate.
groups:
  - name: trellis-expected
    rules:
'''
RULE = '''      - record: trellis:%s_expected
        expr: vector(1)
        labels:
          %s: %s
'''


def rules(services, jobs=()):
    """The file's text: services, and jobs of the scraping."""
    return HEAD + ''.join([RULE % ('service', 'service', name) for name in services] +
                          [RULE % ('job', 'job', name) for name in jobs])
