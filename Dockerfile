# docker build -t hostd . && docker run -p 7420:7420 -v hostd:/var/lib/hostd hostd
# Python 3.11 to 3.13; EXTRAS are those of pyproject.toml, with commas: --build-arg EXTRAS=uvloop,secrets,postgres
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG EXTRAS=uvloop,secrets
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY clients/python clients/python
COPY hostd hostd
COPY plugins/builtin plugins/builtin
RUN python -m venv /opt/hostd \
 && python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels ./clients/python . \
 && /opt/hostd/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      /wheels/hostd_sdk-*.whl "$(echo /wheels/hostd-*.whl)[${EXTRAS}]" \
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
# Asks over the socket in the data folder: it is there with TLS, without it, and on whatever ports.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["hostd", "health"]
ENTRYPOINT ["hostd"]
# Tokens travel in the clear without TLS: mount certificates and set HOSTD_TLS__CERTIFICATE and HOSTD_TLS__KEY instead of --insecure.
CMD ["serve", "--listen", "0.0.0.0:7420", "--http", "0.0.0.0:7421", "--insecure"]
