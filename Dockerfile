# Warmline in an image: built from this folder, and run from nothing but the program, the libraries that it needs and who issues certificates.
# No shell, no package manager, no user but its own; the root may be read-only, data lies in /var/lib/warmline.
#   docker build -t warmline .        or  scripts/image, which needs no daemon
ARG BASE=debian:bookworm-slim
FROM ${BASE} AS build
WORKDIR /src
COPY . .
# The same sources give the same bytes: no time and no path of the build goes into them.
ARG SOURCE_DATE_EPOCH=0
# ccache tells compilations of other languages apart, for the compiler's messages.
ARG LANG=C.UTF-8
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} LANG=${LANG}
# The libraries that go into the image are those of today, also where the base image is older.
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -y upgrade && scripts/install-packages \
  && cmake --preset release -DWARMLINE_TESTS=OFF \
  && cmake --build --preset release --target warmline \
  && scripts/image-root build/release/bin/warmline /image

FROM scratch
COPY --from=build /image /
# Builders differ in whose the copied files are.
COPY --from=build --chown=65532:65532 /image/var/lib/warmline /var/lib/warmline
USER 65532:65532
# Others reach it here, so it asks for tokens: --tokens-file or --jwt-issuer (docs/security.md).
ENV WARMLINE_DATA_DIR=/var/lib/warmline WARMLINE_LISTEN=0.0.0.0:7700 WARMLINE_OPS_LISTEN=0.0.0.0:7701 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 7700 7701
VOLUME /var/lib/warmline
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/usr/bin/warmline", "health"]
ENTRYPOINT ["/usr/bin/warmline"]
CMD ["serve"]
