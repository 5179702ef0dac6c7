# One image for every role; see bin/entrypoint.

# --- Front-end packages --------------------------------------------------------------------------
FROM node:22-bookworm-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

# --- Python packages -----------------------------------------------------------------------------
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

# --- The image -----------------------------------------------------------------------------------
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    PRESSROOM_MODE=production \
    PRESSROOM_ARCHIVE_DIR=/data/archive

# A fixed number, so that volumes can be given to it.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin pressroom
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=frontend /app/node_modules ./node_modules

RUN pybabel --quiet compile --domain django --directory locale

# Static files need no secret: these values serve this one command and stay in no layer.
RUN SECRET_KEY=only-for-collectstatic ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgres://nobody@localhost/none CELERY_BROKER_URL=redis://localhost:6379/0 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && mkdir -p /data/archive var/media \
    && chown -R pressroom:pressroom /data var

USER pressroom
VOLUME ["/data/archive", "/app/var/media"]
EXPOSE 8000
ENTRYPOINT ["/app/bin/entrypoint"]
CMD ["web"]
