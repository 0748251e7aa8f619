"""dockerfile.py - k8s/image/Dockerfile, with a target for each image."""

HEAD = '''\
# Made by k8s/generate of the list of services; changes here are lost.
#
# The images of Trellis, a target each: a service, all of them in one process (all), and
# the operator's command (ctl).
#
#   docker build -f k8s/image/Dockerfile --target auth -t trellis/auth:0.1.0 .
{product}#
# What an image holds is made by k8s/image/rootfs, here and without Docker (k8s/image/build).
FROM debian:13-slim AS build
ARG SOURCE_DATE_EPOCH=0
COPY tools/sh /src/tools/sh
COPY k8s/image/compile /src/k8s/image/compile
RUN apt-get update && /src/k8s/image/compile --packages
COPY . /src
{copy}RUN /src/k8s/image/compile /src/build{where}
'''
TARGET = '''
FROM build AS {name}-root
RUN /src/k8s/image/rootfs /src/build {name} /out
FROM scratch AS {name}
COPY --from={name}-root /out /
USER 65532:65532
ENTRYPOINT ["/{binary}"]
'''


def files(mesh, product):
    """Of a product's services the build context `product` is the folder."""
    text = HEAD.format(product=f'#     (with --build-context product=FOLDER, in the folder of Trellis)\n' if product else '',
                       copy='COPY --from=product . /product\n' if product else '',
                       where=' /product' if product else '')
    for name in [*mesh.names, 'all', 'ctl']:
        text += TARGET.format(name=name, binary='trellis' if name == 'ctl' else f'trellis-{name}')
    yield 'image/Dockerfile', text
