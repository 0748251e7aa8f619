"""What is said to be in an image is in it: what SPDX 2.3 requires of a document, its
packages, files and relationships, and each against the root file system.

  sbom.py ROOT SBOM DIGEST
"""
import hashlib
import json
import os
import re
import sys

ID = re.compile(r'SPDXRef-[A-Za-z0-9.-]+\Z')
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z')
PURL = re.compile(r'pkg:deb/debian/[a-z0-9.+-]+@[^@?]+\?arch=(amd64|arm64|all)&distro=trixie&upstream=[^&]+\Z')
# Clauses 6 to 8 and 11 of the specification: what must be there.
DOCUMENT = ('spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo')
PACKAGE = ('SPDXID', 'name', 'downloadLocation')
FILE = ('SPDXID', 'fileName', 'checksums')


def check(fine, what):
    if not fine:
        sys.exit(what)


def real_files(root):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                yield './' + os.path.relpath(path, root), path


def packages_of(root, packages):
    """The image, then those of Debian: what stands in dpkg's entries, and their licences."""
    image, *debian = packages
    installed = set(os.listdir(os.path.join(root, 'var/lib/dpkg/status.d')))
    check({one['name'] for one in debian} == installed, f'the packages are not those in the image: {installed}')
    check({'libc6', 'ca-certificates', 'tzdata'} <= installed, 'libc, authorities or zones are missing')
    for one in debian:
        with open(os.path.join(root, 'var/lib/dpkg/status.d', one['name']), encoding='utf-8') as file:
            check(f'\nVersion: {one["versionInfo"]}\n' in file.read(), f'{one["name"]} has another version')
        check(os.path.getsize(os.path.join(root, 'usr/share/doc', one['name'], 'copyright')) > 0,
              f'{one["name"]} has no licence')
        check(PURL.match(one['externalRefs'][0]['referenceLocator']), f'no purl: {one["externalRefs"]}')
        check(not one['filesAnalyzed'] and re.match(r'Organization: .+ \(.+@.+\)\Z', one['supplier']),
              f'{one["name"]}: {one["supplier"]}')
    return image


def main(root, sbom, digest):
    with open(sbom, encoding='utf-8') as file:
        told = json.load(file)
    for names, things in (DOCUMENT, [told]), (PACKAGE, told['packages']), (FILE, told['files']):
        for one in things:
            missing = [name for name in names if not one.get(name)]
            check(not missing, f'{one.get("SPDXID")} lacks {missing}')
            check(ID.match(one['SPDXID']), f'no SPDX id: {one["SPDXID"]}')
    check(told['spdxVersion'] == 'SPDX-2.3' and told['dataLicense'] == 'CC0-1.0', 'not SPDX 2.3')
    check(TIME.match(told['creationInfo']['created']) and told['creationInfo']['creators'], 'no creation info')
    check(re.match(r'[a-z][a-z0-9+.-]*:[^#]+\Z', told['documentNamespace']), 'the name space is no URI')
    ids = [one['SPDXID'] for one in [told, *told['packages'], *told['files']]]
    check(len(ids) == len(set(ids)), 'an id stands for two things')
    for one in told['relationships']:
        check(one['spdxElementId'] in ids and one['relatedSpdxElement'] in ids, f'leads nowhere: {one}')

    image = packages_of(root, told['packages'])
    check(image['checksums'][0]['checksumValue'] == digest.removeprefix('sha256:'), 'another image')
    files = {one['fileName']: {c['algorithm']: c['checksumValue'] for c in one['checksums']} for one in told['files']}
    real = dict(real_files(root))
    check(files.keys() == real.keys(), f'other files: {sorted(files.keys() ^ real.keys())[:5]}')
    for name, path in real.items():
        with open(path, 'rb') as file:
            data = file.read()
        check(files[name] == {'SHA1': hashlib.sha1(data).hexdigest(), 'SHA256': hashlib.sha256(data).hexdigest()},
              f'{name} has other checksums')
    code = hashlib.sha1(''.join(sorted(one['SHA1'] for one in files.values())).encode()).hexdigest()
    check(image['packageVerificationCode']['packageVerificationCodeValue'] == code, 'the verification code is wrong')


main(*sys.argv[1:])
