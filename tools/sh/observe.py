"""observe.py - the configuration of what tools/up --observe starts, as a tar on stdout:

  trellis-all mesh --json | observe.py --run FOLDER --port PORT --door URL SERVICE=ADDRESS...

Everything is made of k8s/observability, as a cluster has it; here are only this machine's
addresses, and where people are told: TRELLIS_ALERT_SLACK_URL_FILE (a file with the URL of
Slack's incoming webhook), TRELLIS_ALERT_MAIL_TO (by way of TRELLIS_SMTP_URL), else the
development mailbox; TRELLIS_ALERT_WATCHDOG_URL gets the alert that always fires. --faster N
lets the rules' times pass N times as fast.

The ports, from the first on: see PORTS."""
import argparse
import io
import json
import os
import re
import sys
import tarfile
import urllib.parse

import yaml

sys.dont_write_bytecode = True
K8S = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../k8s')
sys.path.insert(0, os.path.join(K8S, 'generator'))
import expected  # noqa: E402

TOP = os.path.join(K8S, 'observability')
PORTS = ['prometheus', 'alertmanager', 'blackbox', 'node', 'postgres', 'redis', 'mailbox']
UNITS = {'ms': 1, 's': 1000, 'm': 60_000, 'h': 3_600_000, 'd': 86_400_000}


def read(*names):
    with open(os.path.join(TOP, *names), encoding='utf-8') as file:
        return file.read()


def faster(duration, times, least=0):
    """'5m' thirty times as fast is '10000ms'."""
    number, unit = re.fullmatch(r'(\d+)(ms|s|m|h|d)', duration).groups()
    return f'{max(int(int(number) * UNITS[unit] / times), least)}ms'


def rules(text, times):
    """A file of rules whose times pass as fast as that; a window still has two samples."""
    if times == 1:
        return text
    text = re.sub(r'\[(\w+)\]', lambda m: f'[{faster(m[1], times, 5000)}]', text)
    return re.sub(r'^( +for: )(\w+)$',
                  lambda m: m[1] + faster(m[2], times, 1000), text, flags=re.M)


def text_of(variable):
    """The text of the file that it names."""
    path = os.environ[variable]
    try:
        with open(path, encoding='utf-8') as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f'{variable}={path} cannot be read ({error.__class__.__name__}); '
                 'name a file that is there.')


def named(variable):
    """What a variable says, or the file that NAME_FILE names."""
    if variable + '_FILE' in os.environ:
        return text_of(variable + '_FILE')
    return os.environ.get(variable) or None


def url(variable, value):
    """An address by http, or the end with a sentence that does not show it: it is secret."""
    if not re.fullmatch(r'https?://[^\s/]+\S*', value):
        sys.exit(f'{variable} does not hold one http or https URL; write it there, and nothing else.')
    return value


def mail_global(files, to):
    """How mails go: the server that notify's go by, else the development mailbox."""
    server = os.environ.get('TRELLIS_SMTP_URL')
    if not to:
        return None
    if not server:
        sys.exit('TRELLIS_ALERT_MAIL_TO is set and TRELLIS_SMTP_URL is not; set it to your '
                 'mail server, or unset the first: alerts then go to the development mailbox.')
    parts = urllib.parse.urlsplit(server)
    port = parts.port or {'smtp': 587, 'smtps': 465}.get(parts.scheme, 25)
    out = {
        'smtp_smarthost': f'{parts.hostname}:{port}',
        'smtp_from': os.environ.get('TRELLIS_MAIL_FROM', 'Trellis <noreply@localhost>'),
        'smtp_require_tls': parts.scheme == 'smtp',
    }
    if os.environ.get('TRELLIS_SMTP_CA'):
        files['smtp-ca.pem'] = text_of('TRELLIS_SMTP_CA') + '\n'
    if os.environ.get('TRELLIS_SMTP_USER'):
        files['secrets/smtp-password'] = named('TRELLIS_SMTP_PASSWORD') or ''
        out['smtp_auth_username'] = os.environ['TRELLIS_SMTP_USER']
    return out


def alertmanager(files, args):
    config = yaml.safe_load(read('alertmanager.yml'))
    to = os.environ.get('TRELLIS_ALERT_MAIL_TO')
    if to and not all(re.fullmatch(r'[^@\s<>]+@[^@\s<>]+', each.strip()) for each in to.split(',')):
        sys.exit(f'TRELLIS_ALERT_MAIL_TO={to} is no list of addresses; write them with commas '
                 'between them, such as oncall@example.com.')
    mail = mail_global(files, to) or {
        'smtp_smarthost': f'127.0.0.1:{args.port + PORTS.index("mailbox")}',
        'smtp_from': 'Trellis <noreply@localhost>', 'smtp_require_tls': False,
    }
    slack = named('TRELLIS_ALERT_SLACK_URL')
    config['global'] = {'resolve_timeout': '5m', **mail}
    if 'smtp_auth_username' in mail:
        config['global']['smtp_auth_password_file'] = f'{args.run}/secrets/smtp-password'
    if slack is not None:
        files['secrets/slack-url'] = url('TRELLIS_ALERT_SLACK_URL_FILE', slack)
        config['global']['slack_api_url_file'] = f'{args.run}/secrets/slack-url'
    config['templates'] = [f'{args.run}/templates/*.tmpl']
    for receiver in config['receivers']:
        if slack is None:
            receiver.pop('slack_configs', None)
        for each in receiver.get('email_configs', []):
            each['to'] = to or 'oncall@localhost'
            if 'smtp-ca.pem' in files:
                each['tls_config'] = {'ca_file': f'{args.run}/smtp-ca.pem'}
        if receiver['name'] == 'watchdog' and named('TRELLIS_ALERT_WATCHDOG_URL'):
            receiver['webhook_configs'] = [{
                'send_resolved': False,
                'url': url('TRELLIS_ALERT_WATCHDOG_URL', named('TRELLIS_ALERT_WATCHDOG_URL')),
            }]
    for route in [config['route'], *config['route']['routes']]:
        for word in ('group_wait', 'group_interval', 'repeat_interval'):
            if word in route and args.faster > 1:
                route[word] = faster(route[word], args.faster, 0 if route[word] == '0s' else 500)
    files['alertmanager.yml'] = yaml.safe_dump(config, sort_keys=False)


def doors(args):
    """What answers 200 at the door here, and where people reach it, if that is another
    address: there other pages may lie beside the API."""
    public = os.environ.get('TRELLIS_PUBLIC_URL', '').rstrip('/')
    return [args.door + '/readyz'] + \
        ([public + '/api/v1/openapi.json'] if public and public != args.door else [])


def blackbox_job(job, module, targets, blackbox):
    return {
        'job_name': job, 'metrics_path': '/probe', 'params': {'module': [module]},
        'static_configs': [{'targets': targets}],
        'relabel_configs': [
            {'source_labels': ['__address__'], 'target_label': '__param_target'},
            {'source_labels': ['__param_target'], 'target_label': 'instance'},
            {'target_label': '__address__', 'replacement': blackbox},
        ],
    }


def prometheus(args):
    def at(name):
        return f'127.0.0.1:{args.port + PORTS.index(name)}'

    interval = f'{max(5 // args.faster, 1)}s'
    scrapes = [{
        # A process of several services says itself which series is whose.
        'job_name': 'trellis', 'honor_labels': True,
        'static_configs': [{'targets': [address], 'labels': {'service': service}}
                           for service, address in args.target],
    }]
    scrapes += [{'job_name': name, 'static_configs': [{'targets': [at(name)]}]}
                for name in ('prometheus', 'alertmanager', 'blackbox', 'node', 'postgres', 'redis')]
    scrapes.append(blackbox_job('door', 'door', doors(args), at('blackbox')))
    tls = [urllib.parse.urlsplit(each) for each in doors(args) if each.startswith('https:')]
    if tls:
        scrapes.append(blackbox_job('certificate', 'certificate', [
            f'{each.hostname}:{each.port or 443}' for each in tls], at('blackbox')))
    return {
        'global': {'scrape_interval': interval, 'evaluation_interval': interval,
                   'scrape_timeout': interval},
        'rule_files': [f'{args.run}/rules/*.yml'],
        'alerting': {'alertmanagers': [{'static_configs': [{'targets': [at('alertmanager')]}]}]},
        'scrape_configs': scrapes,
    }


def configuration(args, mesh):
    """Each file's text by its name."""
    files = {}
    alertmanager(files, args)
    config = prometheus(args)
    services = [each['name'] for each in mesh['services']]
    jobs = [each['job_name'] for each in config['scrape_configs'] if each['job_name'] != 'trellis']
    files['prometheus.yml'] = yaml.safe_dump(config, sort_keys=False)
    files['blackbox.yml'] = read('blackbox.yml')
    files['mailbox.py'] = read('../../tools/sh/mailbox.py')
    for name in sorted(os.listdir(os.path.join(TOP, 'templates'))):
        files['templates/' + name] = read('templates', name)
    for name in sorted(os.listdir(os.path.join(TOP, 'rules'))):
        made = name == os.path.basename(expected.PATH)
        text = expected.rules(services, jobs) if made else read('rules', name)
        files['rules/' + name] = rules(text, args.faster)
    return files


def write_tar(files):
    with tarfile.open(fileobj=sys.stdout.buffer, mode='w|') as tar:
        for name, text in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o600
            tar.addfile(entry, io.BytesIO(text.encode()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--run', required=True)
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--door', required=True)
    parser.add_argument('--faster', type=int, default=1)
    parser.add_argument('target', nargs='+', type=lambda word: word.split('=', 1))
    write_tar(configuration(parser.parse_args(), json.load(sys.stdin)))


if __name__ == '__main__':
    main()
