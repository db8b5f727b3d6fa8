# Two stages: the bundle is built and its compile cache warmed, then both go into an image that has
# no shell and no package manager. Both bases exist for amd64 and arm64.
ARG NODE_MAJOR=24

FROM docker.io/library/node:${NODE_MAJOR}-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node .ci/build.mjs \
  && mkdir -p /app/.compile-cache \
  && cp -r dist/. /app \
  && cp package.json /app/package.json \
  && printf '#!/nodejs/bin/node\nimport("/app/lib/bin/main.js");\n' > /app/grpc-doctor \
  && chmod 755 /app/grpc-doctor \
  && chown -R 65532:65532 /app
# The compile cache's folder is named after the uid, and an entry holds only for the flags that made
# it: warm it as the user, and with the very command line, of the image below.
USER 65532
RUN NODE_COMPILE_CACHE=/app/.compile-cache \
  node --max-semi-space-size=1 --optimize-for-size --v8-pool-size=1 --no-maglev --no-opt --no-sparkplug \
  --bytecode-old-age=2 --liftoff-only --use-openssl-ca \
  .ci/warm.mjs /app/lib/bin/main.js

FROM gcr.io/distroless/nodejs${NODE_MAJOR}-debian12:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="grpc-doctor" \
  org.opencontainers.image.description="A sidecar diagnostics agent for gRPC" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}"
COPY --from=build --chown=65532:65532 /app /app
COPY --from=build --chown=65532:65532 /app/grpc-doctor /usr/local/bin/grpc-doctor
# One arena and an early trim keep the resident memory near an empty Node's.
ENV NODE_ENV=production \
  NODE_COMPILE_CACHE=/app/.compile-cache \
  MALLOC_ARENA_MAX=1 \
  MALLOC_TRIM_THRESHOLD_=65536 \
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532
EXPOSE 19464
# V8 without its compilers, for WebAssembly (undici's parser) all but the first, and what was not run for two
# collections is forgotten: a tenth more processor, and a third less memory. The roots of the image in place
# of Node's, which are parsed in each process that loads node:tls: 2 MiB. A webhook, an app's metrics and a
# collector over TLS are judged by them, and by NODE_EXTRA_CA_CERTS.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "--optimize-for-size", "--v8-pool-size=1", "--no-maglev", "--no-opt", "--no-sparkplug", "--bytecode-old-age=2", "--liftoff-only", "--use-openssl-ca", "/app/lib/bin/main.js"]
CMD ["run"]
