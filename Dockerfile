# docker build -t hostd . && docker run -p 7420:7420 -v hostd:/var/lib/hostd hostd
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY clients/python clients/python
COPY hostd hostd
COPY plugins/builtin plugins/builtin
RUN python -m venv /opt/hostd \
 && python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels ./clients/python . \
 && /opt/hostd/bin/python -m pip install --no-cache-dir --disable-pip-version-check /wheels/*.whl "uvloop>=0.21" \
 && /opt/hostd/bin/python -m pip uninstall -q -y pip setuptools \
 && python -m compileall -q -j 0 /opt/hostd/lib

FROM python:${PYTHON}-slim
COPY --from=build /opt/hostd /opt/hostd
RUN mkdir -p /var/lib/hostd && chown 65532:65532 /var/lib/hostd && chmod 0700 /var/lib/hostd
USER 65532:65532
ENV PATH=/opt/hostd/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/hostd \
    HOSTD_DATA=/var/lib/hostd
VOLUME /var/lib/hostd
EXPOSE 7420 7421
# Asks the port that clients use; loopback inside the container, so nothing is opened to the outside for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, sys, urllib.request as u; port = os.environ.get('HOSTD_HTTP__LISTEN', ':7421').rpartition(':')[2]; sys.exit(u.urlopen(f'http://127.0.0.1:{port}/readyz', timeout=4).status != 200)"]
ENTRYPOINT ["hostd"]
# Tokens travel in the clear without TLS: mount certificates and set HOSTD_TLS__CERTIFICATE and HOSTD_TLS__KEY instead of --insecure.
CMD ["serve", "--listen", "0.0.0.0:7420", "--http", "0.0.0.0:7421", "--insecure"]
