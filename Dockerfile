# syntax=docker/dockerfile:1
# Three stages: the browser pages by Node, the Python environment from the hashed lock file, and a slim image of it.
# No Java is installed: the embedded graph's wheel brings its own.

FROM node:22-bookworm-slim AS pages
WORKDIR /src
COPY . .
WORKDIR /src/explorer
# A checkout without the explorer still builds: the service then answers GraphQL without browser pages.
RUN mkdir -p /src/inventory/api/static \
    && if [ -f package.json ]; then npm ci --no-audit --no-fund && npm run build; fi

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/bootstrap.lock requirements/runtime.lock requirements/dev.lock requirements/
RUN python -m venv /opt/build \
    && python -m venv --without-pip /opt/inventory \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/bootstrap.lock \
    && /opt/build/bin/uv pip install --no-cache --python /opt/inventory --require-hashes -r requirements/runtime.lock
COPY . .
COPY --from=pages /src/inventory/api/static inventory/api/static
# dev.lock pins, with hashes, what builds the wheel as well.
RUN /opt/build/bin/uv pip install --no-cache --python /opt/inventory --no-deps \
    --build-constraints requirements/dev.lock . \
    && /opt/inventory/bin/python -m compileall -q /opt/inventory/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="privacy-inventory" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 inventory \
    && useradd --uid 10001 --gid inventory --home-dir /var/lib/inventory --create-home --shell /usr/sbin/nologin inventory
COPY --from=build /opt/inventory /opt/inventory
ENV PATH=/opt/inventory/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/inventory
VOLUME /var/lib/inventory
EXPOSE 8383
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8383/healthz', timeout=4)"]
ENTRYPOINT ["inventory"]
CMD ["serve", "--host", "0.0.0.0", "--config", "/etc/inventory/inventory.yaml"]
