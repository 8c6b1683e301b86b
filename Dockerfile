# One image for every role: `coordinator` (default), `worker` and `agent` differ by command and environment only.
FROM node:24-bookworm-slim AS build
WORKDIR /gleaner
COPY . .
RUN npm ci --no-audit --no-fund && npm run -s build

FROM node:24-bookworm-slim
ENV NODE_ENV=production GLEANER_DATA=/data GLEANER_PORT=8400 GLEANER_HOST=0.0.0.0
WORKDIR /gleaner
RUN useradd --system --home-dir /data --create-home gleaner
COPY --from=build --chown=root:root /gleaner /gleaner
USER gleaner
VOLUME /data
EXPOSE 8400
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.GLEANER_PORT + '/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/coordinator/dist/main.js"]
