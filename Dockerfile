# One image for every role; see bin/entrypoint. The digests are those of the tags beside them, as
# docker-library/repo-info tells them; how to take newer ones is told in deploy/README.md.
ARG PYTHON_IMAGE=python:3.11.16-slim-bookworm@sha256:0bee7276f83efd4a1ee05bbbf4281d95ed28e079220a9457f25a93e3f1e3c31b
ARG NODE_IMAGE=node:22.23.2-bookworm-slim@sha256:48e4b67d85f87bd551df43704e24d252f56cc5f8e9718841aace50f19948f0f9

# --- Front-end packages --------------------------------------------------------------------------
FROM ${NODE_IMAGE} AS frontend
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

# --- Python packages -----------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

# --- The image -----------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*

# A home and a place for fontconfig's notes that can be written to: the root is read-only.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    PRESSROOM_MODE=production \
    PRESSROOM_ARCHIVE_DIR=/data/archive \
    PRESSROOM_FONTS_DIR=/tmp/fonts

# A fixed number, so that volumes can be given to it.
RUN groupadd --gid 10001 pressroom \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pressroom
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=frontend /app/node_modules ./node_modules

RUN pybabel --quiet compile --domain django --directory locale

# Static files need no secret: these values serve this one command and stay in no layer. A volume
# that is mounted first takes its owner from here.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    ALLOWED_HOSTS=localhost PRESSROOM_SITE_URL=https://localhost \
    DATABASE_URL=postgres://nobody@localhost/none CELERY_BROKER_URL=redis+socket:///none \
    python manage.py collectstatic --noinput --verbosity 0 \
    && mkdir -p /data/archive /data/backups var/media var/mail \
    && chown -R pressroom:pressroom /data var/media var/mail

USER 10001:10001
VOLUME ["/data/archive", "/data/backups", "/app/var/media", "/app/var/mail"]
EXPOSE 8000
# Of the role `web`; whoever runs another role says how to ask after it, or that it is not asked.
HEALTHCHECK --interval=10s --timeout=8s --start-period=20s --retries=6 \
    CMD ["/app/bin/probe", "/ready?without=broker"]
ENTRYPOINT ["/app/bin/entrypoint"]
CMD ["web"]
