# The image of durasync: the command with its built-in connectors and its embedded Temporal server, which a worker does not start.
#
#   docker build -t durasync .
#   docker run --rm --init -v "$PWD/jobs:/jobs:ro" -e TEMPORAL_ADDRESS=temporal:7233 durasync worker
#
# Run it with an init (--init, or init: true in Compose): connectors are processes, and what a killed one leaves behind must be
# reaped. A connector that is not built in goes beside durasync, in an image of your own that starts FROM this one.

FROM golang:1.26.8-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Static: the SQLite driver is Go as well. The cache makes the second build take seconds; the first one compiles Temporal's server.
RUN --mount=type=cache,target=/root/.cache/go-build \
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/durasync ./cmd/durasync

FROM alpine:3.24
RUN apk add --no-cache ca-certificates tzdata && adduser -D -u 1000 durasync
COPY --from=build /out/durasync /usr/local/bin/durasync
USER durasync
WORKDIR /jobs
ENTRYPOINT ["durasync"]
CMD ["worker"]
