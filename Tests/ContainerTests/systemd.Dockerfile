# A Debian with systemd, and in it what `make install` puts in place, for test_systemd.py.
ARG RUNTIME_IMAGE=debian:bookworm-slim
FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates dbus libgd3 libpq5 libqrencode4 libsqlite3-0 libssl3 libstdc++6 libzbar0 libzmq5 \
           systemd systemd-sysv zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY . /
# As on a machine of its own: what systemd mounts for a unit is seen by it.
CMD ["sh", "-c", "mount --make-rshared / && exec /sbin/init"]
