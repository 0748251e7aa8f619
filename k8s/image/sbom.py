#!/usr/bin/python3
"""k8s/image/sbom.py - what is in an image, as SPDX 2.3 in JSON: the packages of Debian that
its files are of, by the entries that k8s/image/rootfs put into var/lib/dpkg/status.d, and
each file with its checksums.

  sbom.py ROOT --name NAME --version VERSION --digest DIGEST --epoch SECONDS   to stdout
"""
import argparse
import hashlib
import json
import os
import re
import sys
import time
import urllib.parse
import uuid

NOTHING = 'NOASSERTION'


def field(text, name):
    found = re.search(rf'^{name}: (.*)$', text, re.M)
    return found.group(1) if found else None


def spdx_id(kind, name):
    return f'SPDXRef-{kind}-' + re.sub(r'[^A-Za-z0-9.-]', '-', name)


def debian_package(path):
    """A package as dpkg has it, and what its holes are looked up by."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    name, version = field(text, 'Package'), field(text, 'Version')
    who = re.fullmatch(r'(.*) <(.*)>', field(text, 'Maintainer'))
    source = (field(text, 'Source') or name).split(' ')[0]
    query = urllib.parse.urlencode({'arch': field(text, 'Architecture'), 'distro': 'trixie', 'upstream': source})
    return {
        'SPDXID': spdx_id('Package', name), 'name': name, 'versionInfo': version,
        'supplier': f'Organization: {who.group(1)} ({who.group(2)})',
        'downloadLocation': NOTHING, 'filesAnalyzed': False, 'copyrightText': NOTHING,
        'licenseConcluded': NOTHING, 'licenseDeclared': NOTHING,
        'licenseComments': f'/usr/share/doc/{name}/copyright in the image',
        'sourceInfo': f'built by Debian of its source package {source}',
        'externalRefs': [{
            'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
            'referenceLocator': f'pkg:deb/debian/{name}@{urllib.parse.quote(version, safe="")}?{query}'}],
    }


def files(root):
    """Each regular file with its checksums; links and folders have none."""
    found = []
    for folder, inside, names in os.walk(root):
        inside.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            with open(path, 'rb') as file:
                data = file.read()
            at = os.path.relpath(path, root)
            found.append({
                'SPDXID': spdx_id('File', hashlib.sha1(at.encode()).hexdigest()), 'fileName': f'./{at}',
                'checksums': [{'algorithm': 'SHA1', 'checksumValue': hashlib.sha1(data).hexdigest()},
                              {'algorithm': 'SHA256', 'checksumValue': hashlib.sha256(data).hexdigest()}],
                'copyrightText': NOTHING, 'licenseConcluded': NOTHING, 'licenseInfoInFiles': [NOTHING],
            })
    return found


def verification_code(found):
    """SPDX 2.3, 7.9: of the checksums of all files, in their order."""
    sums = sorted(one['checksums'][0]['checksumValue'] for one in found)
    return hashlib.sha1(''.join(sums).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root')
    for name in ('name', 'version', 'digest'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--epoch', type=int, required=True)
    asked = parser.parse_args()
    status = os.path.join(asked.root, 'var/lib/dpkg/status.d')
    packages = [debian_package(os.path.join(status, name)) for name in sorted(os.listdir(status))]
    found = files(asked.root)
    image = {
        'SPDXID': spdx_id('Image', asked.name), 'name': f'trellis/{asked.name}', 'versionInfo': asked.version,
        'supplier': NOTHING, 'downloadLocation': NOTHING, 'primaryPackagePurpose': 'CONTAINER',
        'filesAnalyzed': True, 'packageVerificationCode': {'packageVerificationCodeValue': verification_code(found)},
        'hasFiles': [one['SPDXID'] for one in found], 'copyrightText': NOTHING, 'licenseConcluded': NOTHING,
        'licenseDeclared': 'Apache-2.0', 'licenseInfoFromFiles': [NOTHING],
        'checksums': [{'algorithm': 'SHA256', 'checksumValue': asked.digest.removeprefix('sha256:')}],
    }
    json.dump({
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': 'SPDXRef-DOCUMENT',
        'name': f'trellis/{asked.name} {asked.version}',
        'documentNamespace': uuid.uuid5(uuid.NAMESPACE_OID, asked.name + asked.digest).urn,
        'creationInfo': {'created': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(asked.epoch)),
                         'creators': [f'Tool: trellis-sbom-{asked.version}']},
        'packages': [image, *packages], 'files': found,
        'relationships': [
            {'spdxElementId': 'SPDXRef-DOCUMENT', 'relationshipType': 'DESCRIBES', 'relatedSpdxElement': image['SPDXID']},
            *[{'spdxElementId': image['SPDXID'], 'relationshipType': 'CONTAINS', 'relatedSpdxElement': one['SPDXID']}
              for one in [*packages, *found]]],
    }, sys.stdout, indent=1)
    print()


if __name__ == '__main__':
    main()
