# The bridge in a container. Build: docker build -t smtp-sms-bridge .
# Run: docker run -v bridge-data:/data -v ./bridge.toml:/etc/smtp-sms-bridge/bridge.toml:ro -p 587:2587 smtp-sms-bridge
# It listens for other machines, so smtp.certificate and smtp.private_key must be set and mounted.

FROM python:3.11-slim-bookworm AS build
COPY requirements/run.lock /build/requirements/run.lock
RUN python -m venv /opt/bridge \
 && /opt/bridge/bin/pip install --no-cache-dir --require-hashes -r /build/requirements/run.lock
COPY pyproject.toml README.md LICENSE /build/
COPY bridge /build/bridge
RUN /opt/bridge/bin/pip install --no-cache-dir --no-deps --no-build-isolation /build

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin bridge \
 && install -d -o bridge -g bridge -m 0750 /data
COPY --from=build /opt/bridge /opt/bridge
ENV PATH=/opt/bridge/bin:$PATH PYTHONUNBUFFERED=1 \
    BRIDGE_DATA_DIR=/data BRIDGE_SMTP__HOST=0.0.0.0 BRIDGE_SMTP__PORT=2587 BRIDGE_HTTP__HOST=0.0.0.0 BRIDGE_HTTP__PORT=8025
USER bridge
VOLUME /data
EXPOSE 2587 8025
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"BRIDGE_HTTP__PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["bridge"]
CMD ["serve", "--config", "/etc/smtp-sms-bridge/bridge.toml"]
