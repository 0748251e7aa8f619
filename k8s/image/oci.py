#!/usr/bin/python3
"""k8s/image/oci.py - writes a root file system as an image: an OCI layout of one layer, the
same bytes for the same files. (OCI image format 1.0: image-spec, layer.md, config.md.)

  oci.py ROOT LAYOUT --name NAME --version VERSION --revision REVISION --epoch SECONDS
         --architecture ARCHITECTURE

Prints the manifest's digest and how many bytes the layer has as it is transferred.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import time

LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
CONFIG = 'application/vnd.oci.image.config.v1+json'
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
USER = '65532:65532'


def paths(root):
    """All that is in it, each folder before what it holds, in the order of names."""
    for folder, inside, names in os.walk(root):
        inside.sort()
        links = [name for name in inside if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*inside, *names]):
            yield os.path.join(folder, name)
        for name in links:
            inside.remove(name)


def layer(root, epoch):
    """The tar file of it: owners by number only, times that are fixed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for path in paths(root):
            status = os.lstat(path)
            one = tarfile.TarInfo(os.path.relpath(path, root))
            one.mode, one.mtime = stat.S_IMODE(status.st_mode), epoch
            one.uid, one.gid = status.st_uid, status.st_gid
            if stat.S_ISLNK(status.st_mode):
                one.type, one.linkname = tarfile.SYMTYPE, os.readlink(path)
            elif stat.S_ISDIR(status.st_mode):
                one.type = tarfile.DIRTYPE
            if one.isreg():
                one.size = status.st_size
                with open(path, 'rb') as file:
                    tar.addfile(one, file)
            else:
                tar.addfile(one)
    return out.getvalue()


class Layout:
    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, 'blobs', 'sha256'))
        self.write('oci-layout', json.dumps({'imageLayoutVersion': '1.0.0'}).encode())

    def write(self, name, data):
        with open(os.path.join(self.folder, name), 'wb') as file:
            file.write(data)

    def blob(self, media_type, data):
        """Adds it, and returns what names it."""
        digest = hashlib.sha256(data).hexdigest()
        self.write(os.path.join('blobs', 'sha256', digest), data)
        return {'mediaType': media_type, 'digest': f'sha256:{digest}', 'size': len(data)}

    def json_blob(self, media_type, value):
        return self.blob(media_type, json.dumps(value, sort_keys=True, separators=(',', ':')).encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root')
    parser.add_argument('layout')
    for name in ('name', 'version', 'revision', 'architecture'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--epoch', type=int, required=True)
    asked = parser.parse_args()
    tar = layer(asked.root, asked.epoch)
    layout = Layout(asked.layout)
    packed = layout.blob(LAYER, gzip.compress(tar, 9, mtime=0))
    created = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(asked.epoch))
    binary = '/trellis' if asked.name == 'ctl' else f'/trellis-{asked.name}'
    config = layout.json_blob(CONFIG, {
        'created': created, 'architecture': asked.architecture, 'os': 'linux',
        'config': {
            'User': USER, 'Entrypoint': [binary], 'WorkingDir': '/',
            'Labels': {
                'org.opencontainers.image.title': f'trellis/{asked.name}',
                'org.opencontainers.image.version': asked.version,
                'org.opencontainers.image.revision': asked.revision,
                'org.opencontainers.image.licenses': 'Apache-2.0',
            },
        },
        'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{hashlib.sha256(tar).hexdigest()}']},
        'history': [{'created': created, 'created_by': 'k8s/image/build'}],
    })
    manifest = layout.json_blob(MANIFEST, {
        'schemaVersion': 2, 'mediaType': MANIFEST, 'config': config, 'layers': [packed]})
    manifest['annotations'] = {'org.opencontainers.image.ref.name': asked.version}
    layout.write('index.json', json.dumps({'schemaVersion': 2, 'manifests': [manifest]}, sort_keys=True).encode())
    print(manifest['digest'], packed['size'])


if __name__ == '__main__':
    main()
