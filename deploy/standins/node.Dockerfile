# Stand-in for the base image of deploy/Dockerfile: the Node that `npm run setup` pinned, and the npm of this machine.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
CMD ["node"]
